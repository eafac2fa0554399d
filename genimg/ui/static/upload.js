// Turns a picture file into raw pixels, here in the browser.
const LARGEST_BYTES = 20_000_000;
const LARGEST_PIXELS = 100_000_000; // 400 MB in this browser, for a moment
const LARGEST_KEPT_SIDE = 4096;
const LARGEST_BLOCK = 32;

// By its first bytes, because a name may end in anything.
async function isPicture(file) {
  const start = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  const text = String.fromCharCode(...start);
  return text.startsWith('\x89PNG\r\n') || text.startsWith('\xff\xd8\xff')
    || (text.startsWith('RIFF') && text.endsWith('WEBP'));
}

// Returns an ImageBitmap, upright; throws the key of a sentence for the visitor.
async function openPicture(file) {
  if (file.size > LARGEST_BYTES) {
    throw new Error('pad.file.too_large');
  }
  if (!await isPicture(file)) {
    throw new Error('pad.file.no_picture');
  }
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error('pad.file.damaged');
  }
  if (bitmap.width * bitmap.height > LARGEST_PIXELS) {
    bitmap.close();
    throw new Error('pad.file.too_many_pixels');
  }
  return reduced(bitmap);
}

// Returns a bitmap that does not hold on to hundreds of megabytes.
async function reduced(bitmap) {
  const scale = LARGEST_KEPT_SIDE / Math.max(bitmap.width, bitmap.height);
  if (scale >= 1) return bitmap;
  const [resizeWidth, resizeHeight] = [bitmap.width, bitmap.height]
    .map((side) => Math.max(1, Math.round(side * scale)));
  try {
    return await createImageBitmap(bitmap, { resizeWidth, resizeHeight, resizeQuality: 'high' });
  } finally {
    bitmap.close();
  }
}

// Returns size * size * channels bytes: the middle of the picture, or with `crops` false all of it
// between black bars. Each pixel is the average of a block: a canvas alone would skip most of a
// photograph on the way to 28 pixels.
function shrink(bitmap, size, channels, crops) {
  const { width, height } = bitmap;
  const side = crops ? Math.min(width, height) : Math.max(width, height);
  const block = Math.min(LARGEST_BLOCK, Math.max(1, Math.floor(side / size)));
  const data = squareOf(bitmap, size * block, (size * block) / side);
  const sums = new Float32Array(size * size * 3);
  for (let i = 0; i < data.length / 4; i += 1) {
    const [row, column] = [Math.floor(i / (size * block)), i % (size * block)];
    const place = 3 * (Math.floor(row / block) * size + Math.floor(column / block));
    for (let c = 0; c < 3; c += 1) sums[place + c] += data[4 * i + c];
  }
  const colors = sums.map((sum) => sum / block ** 2);
  if (channels === 3) return Uint8Array.from(colors, Math.round);
  return Uint8Array.from({ length: size * size }, (_, i) => {
    const [red, green, blue] = colors.subarray(3 * i, 3 * i + 3);
    return Math.round(0.299 * red + 0.587 * green + 0.114 * blue); // ITU-R BT.601
  });
}

// Returns the pixels of the middle `side` x `side` of a scaled picture, four bytes each.
function squareOf(bitmap, side, scale) {
  const square = document.createElement('canvas');
  square.width = square.height = side;
  const drawing = square.getContext('2d');
  drawing.fillRect(0, 0, side, side); // the bars are black
  drawing.imageSmoothingQuality = 'high';
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  const place = [(side - width) / 2, (side - height) / 2, width, height];
  drawing.fillStyle = 'white'; // behind what is transparent, as in pictures to train on
  drawing.fillRect(...place);
  drawing.drawImage(bitmap, ...place);
  return drawing.getImageData(0, 0, side, side).data;
}

// Returns the average value of the outermost pixels.
function groundOf(bytes, size, channels) {
  const border = bytes.filter((_, i) => {
    const place = Math.floor(i / channels);
    const [row, column] = [Math.floor(place / size), place % size];
    return Math.min(row, column, size - 1 - row, size - 1 - column) === 0;
  });
  return border.reduce((sum, byte) => sum + byte, 0) / border.length;
}

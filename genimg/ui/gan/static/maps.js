// Arrays on a canvas, one pixel for each number or colour; the style sheet enlarges them.

// A picture, uint8 (height, width, channels).
function paintPicture(canvas, { data, shape: [height, width, channels] }) {
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i += 1) {
    const color = [0, 1, 2].map((channel) => data[i * channels + (channel % channels)]);
    image.data.set([...color, 255], 4 * i);
  }
  [canvas.width, canvas.height] = [width, height];
  canvas.getContext('2d').putImageData(image, 0, 0);
}

// A map, uint8 (height * width), in colors, a Uint8Array of (257, 3).
function paintMap(canvas, values, height, width, colors) {
  const image = new ImageData(width, height);
  values.forEach((value, i) => {
    const row = 3 * Math.round((value * 256) / 255);
    image.data.set([colors[row], colors[row + 1], colors[row + 2], 255], 4 * i);
  });
  [canvas.width, canvas.height] = [width, height];
  canvas.getContext('2d').putImageData(image, 0, 0);
}

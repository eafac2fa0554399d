// A picture from the camera. Nothing leaves the browser before "Take", and then only the small picture.
const video = find('video');
let stream = null;

// Browsers lend a camera only to pages from this computer or over https.
find('[data-do=camera]').hidden = !navigator.mediaDevices?.getUserMedia;

async function openCamera() {
  if (stream) return;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: true });
  } catch {
    report('pad.no_camera');
    return;
  }
  report('');
  find('.camera').hidden = false;
  video.srcObject = stream;
  await video.play();
  find('[data-do=take]').focus();
}

function closeCamera() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  video.srcObject = null;
  find('.camera').hidden = true;
  find('[data-do=camera]').focus();
}

async function takePicture() {
  if (!video.videoWidth) return; // it has not begun yet
  const bitmap = await createImageBitmap(video);
  closeCamera();
  fit(bitmap, { say: 'pad.caption.photograph' });
}

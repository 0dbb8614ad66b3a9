// What the canvases over a photo share: the photo, its true size, and waiting for it.

const WAITING = "Choose a picture first; then draw over it.";

const photoOf = (source) => {
  const image = new Image();
  image.src = addressOf(source);
  return image.decode().then(() => image);
};

// `begin(size)` starts a drawing over a photo of that size.
function createPhotoBed(begin) {
  let size = null;
  let newest = 0;

  // `value`: {photo, width, height} from Python. Of two that come one after the other the later one counts.
  async function lay(editor, { photo, width, height }) {
    newest += 1;
    const number = newest;
    props.value = null;
    const { stage } = editor.surface;
    if (!photo) {
      size = null;
      editor.surface.showPhoto(null);
      stage.classList.add("canvas-empty");
      editor.restart(makeLayer(4, 3, layer.data.constructor));
      editor.say(WAITING);
      return;
    }
    try {
      const image = await photoOf(photo);
      if (number !== newest) return;
      size = width && height ? { width, height } : { width: image.naturalWidth, height: image.naturalHeight };
      stage.classList.remove("canvas-empty");
      editor.surface.showPhoto(image.src);
      begin(size);
    } catch {
      editor.say("This browser cannot show the photo.");
    }
  }

  return { lay, size: () => size, isReady: () => size !== null };
}

// The mask canvas: paints over a photo what is to be filled; exports black and white of the photo's full size.

const MOST_PIXELS = 2 ** 24;
const MARK = packedColour([255, 70, 70]); // seldom a photo's own, unlike the page's blue

const layer = makeLayer(4, 3, Uint8Array);

// The layer has the photo's size, or the largest of its shape that a phone can hold.
function drawnSize({ width, height }) {
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
  return { width: Math.max(1, Math.floor(width * scale)), height: Math.max(1, Math.floor(height * scale)) };
}

// White is marked; in a picture with transparency, what is opaque.
function readMask(bitmap) {
  const pixels = pixelsOf(bitmap, layer, false);
  const next = makeLayer(layer.width, layer.height, Uint8Array);
  const isTransparent = wordsOf(pixels).some((word) => word >>> 24 < 255);
  next.data.forEach((_, place) => {
    const level = isTransparent ? pixels[4 * place + 3] : lumaAt(pixels, 4 * place);
    next.data[place] = level >= 128 ? 1 : 0;
  });
  return next;
}

function inverted() {
  const next = makeLayer(layer.width, layer.height, Uint8Array);
  layer.data.forEach((value, place) => (next.data[place] = 1 - value));
  return next;
}

function beginOver(size) {
  const { width, height } = drawnSize(size);
  const isKept = keep.isChecked() && layer.data.includes(1);
  editor.restart(isKept ? scaled(layer, width, height) : makeLayer(width, height, Uint8Array));
  editor.slider.set(Math.max(width, height) / 16);
  if (isKept) editor.changed("The mask of the last picture is used again.");
  else editor.say("Paint over what is to be filled.");
}

const bed = createPhotoBed(beginOver);
const keep = makeBox("Keep this mask for the next picture", false, () => {});
const fill = () => 1;

const editor = createEditor({
  label: "Mask: paint over what is to be filled",
  about: "mask",
  fileName: "mask.png",
  layer,
  isSmooth: false,
  isLive: false,
  line: drawLine,
  colourRow(y, left, right, rgba) {
    const target = wordsOf(rgba);
    layer.data.subarray(y * layer.width + left, y * layer.width + right).forEach((value, x) => (target[x] = value ? MARK : 0));
  },
  channels: 1,
  exportSize: () => bed.size(),
  writeRow(y, bytes) {
    const { width, height } = bed.size();
    const row = Math.floor(((y + 0.5) * layer.height) / height) * layer.width;
    for (let x = 0; x < width; x += 1) bytes[x] = layer.data[row + Math.floor(((x + 0.5) * layer.width) / width)] ? 255 : 0;
  },
  sizeLimit: () => Math.max(2, Math.round(Math.max(layer.width, layer.height) / 3)),
  tools: [
    freehandTool({ name: "brush", label: "Brush", icon: "brush", key: "B" }, fill),
    freehandTool({ name: "eraser", label: "Eraser", icon: "eraser", key: "E" }, () => 0),
    rectangleTool(fill),
    lassoTool(fill),
  ],
  actions: [{ label: "Invert", icon: "invert", key: "X", act: () => bed.isReady() && editor.replace(inverted(), "Inverted.") }],
  isReady: bed.isReady,
  waiting: WAITING,
  read: readMask,
  fresh: () => makeLayer(layer.width, layer.height, Uint8Array),
  below: [keep.element],
  onPhoto: (value) => bed.lay(editor, value),
});

editor.surface.stage.classList.add("canvas-mask", "canvas-empty");
editor.begin(WAITING);

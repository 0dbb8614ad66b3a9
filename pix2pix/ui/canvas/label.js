// The label canvas: a layer of class numbers, so that every pixel is exactly a colour of the palette.

const SIZES = [256, 384, 512];

const names = props.palette.map(([name]) => name);
const colours = props.palette.map(([, colour]) => colour);
const words = Uint32Array.from(colours, packedColour);
const layer = makeLayer(props.side, props.side, Uint8Array);
let side = props.side;
let chosen = Math.min(1, names.length - 1);

// Squared distance in RGB; of two equally near colours the first wins, as on the server.
function nearestClass(red, green, blue) {
  let [best, lowest] = [0, Infinity];
  colours.forEach(([r, g, b], index) => {
    const distance = (red - r) ** 2 + (green - g) ** 2 + (blue - b) ** 2;
    if (distance < lowest) [best, lowest] = [index, distance];
  });
  return best;
}

function snappedToPalette(bitmap) {
  const size = fittedSize(bitmap, LONGEST);
  const pixels = pixelsOf(bitmap, size, false);
  const known = new Map();
  const next = makeLayer(size.width, size.height, Uint8Array);
  wordsOf(pixels).forEach((word, place) => {
    let found = known.get(word);
    if (found === undefined) {
      found = nearestClass(pixels[4 * place], pixels[4 * place + 1], pixels[4 * place + 2]);
      known.set(word, found);
    }
    next.data[place] = found;
  });
  return next;
}

function chooseClass(index) {
  chosen = index;
  swatches.mark(index);
  editor.say(`Drawing ${names[index]}.`);
}

function pickClass({ x, y }) {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  if (column >= 0 && row >= 0 && column < layer.width && row < layer.height) chooseClass(layer.data[row * layer.width + column]);
}

function resize(value) {
  if (value === "own") return;
  side = Number(value);
  editor.replace(scaled(layer, side, side), `Now ${side} × ${side} pixels.`);
}

function showSize() {
  const isOwn = layer.width !== layer.height || !SIZES.includes(layer.width);
  const own = isOwn ? [["own", `${layer.width} × ${layer.height}`]] : [];
  size.show([...SIZES.map((value) => [String(value), `${value} × ${value}`]), ...own], isOwn ? "own" : String(layer.width));
}

const value = () => chosen;
const swatches = makeSwatches(
  "Classes",
  props.palette.map(([name, colour]) => [name, `rgb(${colour})`]),
  chooseClass,
);
// A longer list beside the surface would be taller than it.
swatches.element.classList.toggle("canvas-beside", names.length <= 13);
const size = makeSelect("Size of the map", resize);

const editor = createEditor({
  label: "Label map: draw here",
  about: "label map",
  fileName: "labels.png",
  layer,
  isSmooth: false,
  isLive: true,
  hasExamples: true,
  line: drawLine,
  colourRow(y, left, right, rgba) {
    const row = layer.data.subarray(y * layer.width + left, y * layer.width + right);
    const target = wordsOf(rgba);
    row.forEach((index, x) => (target[x] = words[index]));
  },
  channels: 3,
  writeRow(y, bytes) {
    layer.data.subarray(y * layer.width, (y + 1) * layer.width).forEach((index, x) => bytes.set(colours[index], 3 * x));
  },
  sizeLimit: () => Math.max(2, Math.round(Math.min(layer.width, layer.height) / 4)),
  tools: [
    freehandTool({ name: "brush", label: "Brush", icon: "brush", key: "B" }, value),
    rectangleTool(value),
    lineTool(value),
    touchTool({ name: "fill", label: "Fill", icon: "fill", key: "F", note: "a region of one class", hasSize: false }, (desk, place) =>
      desk.mark(floodFill(desk.layer, place, chosen)),
    ),
    touchTool({ name: "pick", label: "Pick", icon: "pick", key: "I", note: "or Alt and a click, with any tool", hasSize: false }, (_, place) => {
      editor.choose("brush");
      pickClass(place);
    }),
    freehandTool({ name: "eraser", label: "Eraser", icon: "eraser", key: "E", note: `back to ${names[0]}` }, () => 0),
  ],
  alt: pickClass,
  read: snappedToPalette,
  fresh: () => makeLayer(side, side, Uint8Array),
  palette: swatches.element,
  beside: [size.element],
  moreKeys: swatches.keys,
  keyRows: [
    [["1 – 9"], "The first to the ninth class"],
    [["Alt+click"], "Pick the class under the pointer"],
  ],
  onShow: showSize,
});

swatches.mark(chosen);
editor.begin("Draw with a mouse, a finger or a pen.");
editor.slider.set(Math.max(1, Math.round(props.side / 16)));

// The hint canvas: opaque strokes of colour over a photo, transparent elsewhere, for networks that colour.

const HINT_LONGEST = 1024;
const GREY = [128, 128, 128];
const COLOURS = [
  ["Skin", [224, 172, 140]],
  ["Red", [200, 40, 45]],
  ["Orange", [235, 130, 40]],
  ["Yellow", [240, 205, 70]],
  ["Grass", [95, 145, 60]],
  ["Forest", [40, 90, 60]],
  ["Teal", [40, 140, 140]],
  ["Sky", [120, 175, 225]],
  ["Blue", [45, 80, 165]],
  ["Violet", [120, 75, 160]],
  ["Pink", [225, 130, 165]],
  ["Brown", [115, 75, 50]],
  ["Grey: no colour", GREY],
];

const layer = makeLayer(4, 3, Uint32Array);
let colour = packedColour(COLOURS[0][1]);

function readStrokes(bitmap) {
  const next = makeLayer(layer.width, layer.height, Uint32Array);
  wordsOf(pixelsOf(bitmap, layer, false)).forEach((word, place) => {
    next.data[place] = word >>> 24 >= 128 ? (word | 0xff000000) >>> 0 : 0;
  });
  return next;
}

function chooseColour(index) {
  colour = packedColour(COLOURS[index][1]);
  swatches.mark(index);
  editor.say(`Drawing ${COLOURS[index][0].toLowerCase()}.`);
}

function beginOver(size) {
  const { width, height } = fittedSize(size, HINT_LONGEST);
  editor.restart(makeLayer(width, height, Uint32Array));
  editor.slider.set(Math.max(width, height) / 40);
  editor.say("Paint a few strokes of the colours you want.");
}

const own = make("input", { type: "color", value: "#c8282d", "aria-label": "Another colour", title: "Another colour" });
own.addEventListener("input", () => {
  colour = packedColour([1, 3, 5].map((at) => parseInt(own.value.slice(at, at + 2), 16)));
  swatches.mark(-1);
  editor.say(`Drawing ${own.value}.`);
});

const bed = createPhotoBed(beginOver);
const value = () => colour;
const swatches = makeSwatches(
  "Colours",
  COLOURS.map(([name, rgb]) => [name, `rgb(${rgb})`]),
  chooseColour,
);
swatches.element.classList.add("canvas-colours");
swatches.element.append(make("label", { class: "canvas-own" }, own, make("span", { class: "canvas-name" }, "Other")));

const rowOf = (y, left, right) => layer.data.subarray(y * layer.width + left, y * layer.width + right);

const editor = createEditor({
  label: "Colour hints: draw here",
  about: "drawing of hints",
  fileName: "hints.png",
  layer,
  isSmooth: false,
  isLive: true,
  line: drawLine,
  colourRow: (y, left, right, rgba) => wordsOf(rgba).set(rowOf(y, left, right)),
  channels: 4,
  writeRow(y, bytes) {
    rowOf(y, 0, layer.width).forEach((word, x) => bytes.set([word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24], 4 * x));
  },
  sizeLimit: () => Math.max(2, Math.round(Math.max(layer.width, layer.height) / 8)),
  tools: [
    freehandTool({ name: "brush", label: "Brush", icon: "brush", key: "B" }, value),
    freehandTool({ name: "eraser", label: "Eraser", icon: "eraser", key: "E" }, () => 0),
  ],
  isReady: bed.isReady,
  waiting: WAITING,
  read: readStrokes,
  fresh: () => makeLayer(layer.width, layer.height, Uint32Array),
  palette: swatches.element,
  moreKeys: swatches.keys,
  keyRows: [[["1 – 9"], "The first to the ninth colour"]],
  onPhoto: (value) => bed.lay(editor, value),
});

swatches.mark(0);
editor.surface.stage.classList.add("canvas-empty");
editor.begin(WAITING);

// The sketch canvas: black pencil on white paper, with smooth edges, and a photo beneath to trace.

const WHITE = 255;

const layer = makeLayer(props.side, props.side, Uint8Array, WHITE);
let tracedFile = null;

// How much of a pixel a round line covers, from the distance of its centre to the line; the darker of old and new
// stays, so that a stroke that crosses itself has no seams. `tone` 0 draws, WHITE erases.
function inkLine(target, a, b, diameter, tone) {
  const radius = diameter / 2;
  const rect = clip(boundsOf([a, b], radius + 1), target);
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const squared = Math.max(dx * dx + dy * dy, 1e-12);
  const mix = tone === 0 ? Math.min : Math.max;
  for (let y = rect.top; y < rect.bottom; y += 1) {
    const [from, to] = lineSpan(a, b, radius + 1, y + 0.5);
    const end = Math.min(rect.right, Math.ceil(to));
    for (let x = Math.max(rect.left, Math.floor(from)); x < end; x += 1) {
      const along = Math.max(0, Math.min(1, ((x + 0.5 - a.x) * dx + (y + 0.5 - a.y) * dy) / squared));
      const distance = Math.hypot(x + 0.5 - a.x - along * dx, y + 0.5 - a.y - along * dy);
      const cover = Math.max(0, Math.min(1, radius + 0.5 - distance));
      const place = y * target.width + x;
      target.data[place] = mix(target.data[place], Math.round(tone === 0 ? WHITE * (1 - cover) : WHITE * cover));
    }
  }
  return rect;
}

// Grey, on white where the picture is transparent.
function readDrawing(bitmap) {
  const size = fittedSize(bitmap, LONGEST);
  const pixels = pixelsOf(bitmap, size, true);
  const next = makeLayer(size.width, size.height, Uint8Array);
  next.data.forEach((_, place) => {
    const opacity = pixels[4 * place + 3] / 255;
    next.data[place] = Math.round(lumaAt(pixels, 4 * place) * opacity + WHITE * (1 - opacity));
  });
  return next;
}

function trace(address) {
  if (tracedFile) URL.revokeObjectURL(tracedFile);
  tracedFile = null;
  editor.surface.showPhoto(address);
  box.element.hidden = !address;
}

const box = makeBox("Show the photo", true, (isShown) => editor.surface.stage.classList.toggle("canvas-untraced", !isShown));
box.element.hidden = true;

const pencil = () => 0;

const editor = createEditor({
  label: "Sketch: draw here",
  about: "sketch",
  fileName: "sketch.png",
  layer,
  isSmooth: true,
  isLive: true,
  hasExamples: true,
  line: inkLine,
  colourRow(y, left, right, rgba) {
    const target = wordsOf(rgba);
    layer.data.subarray(y * layer.width + left, y * layer.width + right).forEach((tone, x) => {
      target[x] = (0xff000000 | (tone * 0x010101)) >>> 0;
    });
  },
  channels: 1,
  writeRow: (y, bytes) => bytes.set(layer.data.subarray(y * layer.width, (y + 1) * layer.width)),
  sizeLimit: () => Math.max(8, Math.round(Math.max(layer.width, layer.height) / 8)),
  tools: [
    smoothTool({ name: "pencil", label: "Pencil", icon: "pencil", key: "P" }, pencil),
    smoothTool({ name: "eraser", label: "Eraser", icon: "eraser", key: "E" }, () => WHITE),
    lineTool(pencil),
  ],
  read: readDrawing,
  fresh: () => makeLayer(props.side, props.side, Uint8Array, WHITE),
  beside: [box.element],
  keyRows: [[["Shift+drop"], "Lay a photo beneath, to trace it"]],
  onShiftDrop(file) {
    trace(URL.createObjectURL(file));
    tracedFile = editor.surface.photo.src;
    editor.say("Trace the photo; only your lines are used.");
  },
  isTraced: true,
  onPhoto({ photo }) {
    trace(photo ? addressOf(photo) : null);
    props.value = editor.published(); // the photo took the place of the drawing, which is still there
  },
});

editor.surface.stage.classList.add("canvas-paper");
editor.begin("Draw with a mouse, a finger or a pen.");
editor.slider.set(Math.max(2, Math.round(props.side / 96)));

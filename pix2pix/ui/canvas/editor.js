// The editor: toolbar, surface, history and exchange put together; each kind of canvas says what is its own.
//
// A kind is {label, about, layer, isSmooth, line, colourRow, channels, writeRow, sizeLimit, tools, fileName,
// read(bitmap) -> layer, fresh() -> layer, isLive}, and where it has them {isTraced, exportSize, isReady, waiting, actions,
// moreKeys, keyRows, beside, palette, below, hasExamples, alt(place), onShiftDrop(file), onShow(), onPhoto(value)}.

function createEditor(kind) {
  const { layer } = kind;
  const frame = element.querySelector(".canvas-frame");
  const history = createHistory(layer);
  const surface = createSurface(layer, kind);
  const slider = makeSizeSlider(() => surface.showRing(null));
  const status = make("p", { class: "canvas-status", role: "status", "aria-live": "polite" });
  const files = make("input", { type: "file", accept: "image/*", hidden: "", tabindex: "-1", "aria-label": "Load a picture" });
  let tool = kind.tools[0];

  const say = (text) => (status.textContent = text);
  const exchange = exchangeOf(frame, kind, say);
  const strokes = createStrokes(kind, surface, history, slider, {
    tool: () => tool,
    changed: () => changed(`${layer.width} × ${layer.height} pixels.`),
    live: exchange.changed,
  });

  // After anything that changed the drawing for good.
  function settle(text) {
    toolbar.enable(history);
    slider.limit(kind.sizeLimit());
    kind.onShow?.();
    if (text !== undefined) say(text);
  }

  function changed(text) {
    settle(text);
    exchange.changed();
  }

  // Another drawing, of any size, as one step.
  function replace(next, text) {
    strokes.cancel();
    history.replace(next);
    surface.fit();
    changed(text);
  }

  // Another drawing, and no way back: the photo beneath is another one.
  function restart(next) {
    strokes.cancel();
    history.restart(next);
    surface.fit();
    settle();
  }

  function step(move, text) {
    if (strokes.isDrawing()) return;
    const { width, height } = layer;
    const rect = move();
    if (isNothing(rect)) return;
    if (layer.width === width && layer.height === height) surface.show(rect);
    else surface.fit();
    changed(text);
  }

  async function load(source) {
    try {
      const bitmap = await decoded(source instanceof Blob ? source : await blobOf(addressOf(source)));
      const next = kind.read(bitmap);
      bitmap.close();
      replace(next, `Loaded: ${next.width} × ${next.height} pixels.`);
    } catch {
      say("That is no picture this browser can read: try a PNG, JPEG or WebP file.");
    }
  }

  function choose(name) {
    tool = kind.tools.find((one) => one.name === name);
    toolbar.mark(tool);
    say(tool.note ? `${tool.label}: ${tool.note}.` : `${tool.label}.`);
  }

  // Canvases over a photo do nothing before they have one.
  const whenReady = (act) => (...given) => (kind.isReady?.() === false ? say(kind.waiting) : act(...given));
  const take = whenReady(load);
  const toolbar = createToolbar(kind, slider, {
    choose,
    undo: () => step(history.undo, "Undone."),
    redo: () => step(history.redo, "Done again."),
    clear: whenReady(() => replace(kind.fresh(), "Cleared. Undo brings it back.")),
    load: whenReady(() => files.click()),
    save: whenReady(async () => download(await pngOf(kind), kind.fileName)),
    example: () => trigger("example"),
  });

  function hear() {
    listen(frame, [...toolbar.shortcuts, ...(kind.moreKeys ?? [])], take);
    acceptDrops(
      surface.stage,
      (file, isShifted) => (isShifted && kind.onShiftDrop ? kind.onShiftDrop(file) : take(file)),
      () => say("That is no picture: drop a PNG, JPEG or WebP file."),
    );
    files.addEventListener("change", () => {
      if (files.files[0]) take(files.files[0]);
      files.value = ""; // or the same file could not be chosen twice
    });
    watch("value", fromPython);
  }

  async function fromPython() {
    const { value } = props;
    if (value === null || typeof value !== "object") return;
    if (value.load || !kind.isTraced) exchange.forget();
    if ("photo" in value) await kind.onPhoto?.(value);
    if (value.load) await take(value.load);
  }

  // Called once the kind has all it needs.
  function begin(text) {
    const rows = [...toolbar.shortcuts.map(({ keys, meaning }) => [keys, meaning]), ...(kind.keyRows ?? [])];
    const board = make("div", { class: "canvas-board" }, surface.stage, ...(kind.palette ? [kind.palette] : []));
    frame.replaceChildren(toolbar.element, board, status, ...(kind.below ?? []), makeKeyList(rows), files);
    surface.fit();
    choose(kind.tools[0].name);
    settle(text);
    hear();
    fromPython();
  }

  return { begin, replace, restart, changed, choose, say, surface, slider, published: exchange.published };
}

function pngOf(kind) {
  const { width, height } = kind.exportSize?.() ?? kind.layer;
  return encodePng(width, height, kind.channels, kind.writeRow);
}

// The exchange between this canvas and Python, by what gradio gives a component.
function exchangeOf(frame, kind, say) {
  return createExchange({
    encode: () => pngOf(kind),
    send: async (png) => (await upload(new File([png], kind.fileName, { type: "image/png" }))).path,
    publish(path) {
      props.value = path;
      trigger("input"); // not "change": setting the value fires that by itself, and so does Python
    },
    busy: (isBusy) => frame.setAttribute("aria-busy", String(isBusy)),
    fail: (error) => say(`The drawing could not be sent (${error?.message ?? error}). The next stroke sends it again.`),
  });
}

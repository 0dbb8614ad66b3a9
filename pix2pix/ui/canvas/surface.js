// The surface: a layer shown at its own pixel size, stretched by CSS; and what a mouse, finger or pen does on it.

const STRIP_PIXELS = 2 ** 20;

// `colourRow(y, left, right, rgba)` gives the screen's colours of a piece of a row.
function createSurface(layer, { label, isSmooth, colourRow }) {
  const canvas = make("canvas", { class: "canvas-surface", tabindex: "0", role: "img", "aria-label": label });
  const photo = make("img", { class: "canvas-photo", alt: "", draggable: "false", hidden: "" });
  const ring = make("div", { class: "canvas-ring", hidden: "", "aria-hidden": "true" });
  const stage = make("div", { class: "canvas-stage" }, photo, canvas, ring);
  canvas.classList.toggle("canvas-smooth", isSmooth);
  const context = canvas.getContext("2d");
  let waiting = NOTHING;

  function paint() {
    const rect = clip(waiting, layer);
    waiting = NOTHING;
    if (isNothing(rect)) return;
    const width = rect.right - rect.left;
    const rows = Math.max(1, Math.floor(STRIP_PIXELS / width)); // large pictures in pieces, to spare memory
    for (let top = rect.top; top < rect.bottom; top += rows) {
      const strip = new ImageData(width, Math.min(rows, rect.bottom - top));
      for (let y = 0; y < strip.height; y += 1) {
        colourRow(top + y, rect.left, rect.right, strip.data.subarray(4 * y * width, 4 * (y + 1) * width));
      }
      context.putImageData(strip, rect.left, top);
    }
  }

  function show(rect) {
    if (isNothing(waiting) && !isNothing(rect)) requestAnimationFrame(paint);
    waiting = union(waiting, rect);
  }

  // Takes over the layer's size, and shows all of it.
  function fit() {
    if (canvas.width !== layer.width || canvas.height !== layer.height) {
      [canvas.width, canvas.height] = [layer.width, layer.height];
      stage.style.setProperty("--shape", String(layer.width / layer.height));
    }
    show(wholeOf(layer));
  }

  const toPixel = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    return {
      x: ((clientX - box.left) * layer.width) / box.width,
      y: ((clientY - box.top) * layer.height) / box.height,
    };
  };

  function showRing(event, size) {
    ring.hidden = !event || event.pointerType === "touch";
    if (ring.hidden) return;
    const box = stage.getBoundingClientRect();
    const width = Math.max(4, (size * box.width) / layer.width);
    Object.assign(ring.style, { width: `${width}px`, height: `${width}px` });
    ring.style.transform = `translate(${event.clientX - box.left - width / 2}px, ${event.clientY - box.top - width / 2}px)`;
  }

  function showPhoto(address) {
    photo.hidden = !address;
    if (address) photo.src = address;
    else photo.removeAttribute("src");
  }

  return { canvas, stage, photo, show, fit, toPixel, showRing, showPhoto };
}

// Between two events of a fast hand the browser knows of more places: coalesced events.
function placesOf(event) {
  const events = event.getCoalescedEvents?.() ?? [];
  return events.length ? events : [event];
}

// One stroke at a time: the first pointer draws, others are ignored until it is lifted. A second finger makes the
// browser pinch, and cancel the first.
function followPointer(canvas, { start, move, end, cancel }) {
  let pointer = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button !== 0) return;
    canvas.focus({ preventScroll: true });
    if (!start(event)) return;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId === pointer) placesOf(event).forEach((place) => move(place, event.shiftKey));
  });
  const finish = (act) => (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    act(event);
  };
  canvas.addEventListener("pointerup", finish(end));
  canvas.addEventListener("pointercancel", finish(cancel));
  canvas.addEventListener("contextmenu", (event) => pointer !== null && event.preventDefault());
}

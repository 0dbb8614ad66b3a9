// Strokes: from the pointer to the tool, and from the tool to the layer, its history and the screen.

// `told`: {tool(), changed(), live()}: which tool is chosen; a stroke changed the drawing; a stroke under way did.
function createStrokes(kind, surface, history, slider, told) {
  const { layer } = kind;
  let stroke = null;

  const desk = {
    layer,
    line: (from, to, size, value) => kind.line(layer, from, to, size, value),
    size: slider.size,
    mark(rect) {
      stroke.touched = union(stroke.touched, rect);
      surface.show(rect);
      if (kind.isLive) told.live();
    },
    restore() {
      if (isNothing(stroke.touched)) return;
      history.restore(stroke.touched);
      surface.show(stroke.touched);
      stroke.touched = NOTHING;
    },
  };

  function start(event) {
    if (kind.isReady?.() === false) return false;
    const place = surface.toPixel(event);
    if (event.altKey && kind.alt) {
      kind.alt(place);
      return false;
    }
    stroke = { tool: told.tool(), touched: NOTHING };
    stroke.tool.start(desk, place, event.shiftKey);
    return true;
  }

  function end() {
    if (!stroke) return; // a picture that was loaded meanwhile ended it
    stroke.tool.end?.(desk);
    const { touched } = stroke;
    stroke = null;
    if (history.commit(touched)) told.changed();
  }

  function cancel() {
    if (!stroke) return;
    desk.restore();
    stroke = null;
    if (kind.isLive) told.live(); // or the result would keep what was taken back
  }

  const move = (event, isShifted) => stroke?.tool.move(desk, surface.toPixel(event), isShifted);
  followPointer(surface.canvas, { start, move, end, cancel });
  surface.canvas.addEventListener("pointermove", (event) => {
    surface.showRing(event, told.tool().hasSize === false ? 1 : slider.size());
  });
  surface.canvas.addEventListener("pointerleave", () => surface.showRing(null));
  return { cancel, isDrawing: () => stroke !== null };
}

// Tools that several canvases share. A tool draws on a desk: {line, layer, size, mark(rect), restore()}.
//
// `start`, `move` and `end` get the desk, the place in pixels and whether Shift is held. `mark` shows a rectangle and
// makes it part of the stroke; `restore` takes the stroke back, for tools that show a preview while dragging.

const midpoint = (a, b) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });

// From event to event in straight lines: on whole pixels nothing finer would be seen.
function freehandTool(about, value) {
  let last;
  const draw = (desk, from, to) => desk.mark(desk.line(from, to, desk.size(), value()));
  return {
    ...about,
    start(desk, place) {
      last = place;
      draw(desk, place, place);
    },
    move(desk, place) {
      draw(desk, last, place);
      last = place;
    },
  };
}

// Quadratic curves from midpoint to midpoint with the events as control points: smooth where events are far apart.
function smoothTool(about, value) {
  let [last, middle] = [null, null];

  function curve(desk, from, control, to) {
    const length = Math.hypot(control.x - from.x, control.y - from.y) + Math.hypot(to.x - control.x, to.y - control.y);
    const pieces = Math.max(1, Math.ceil(length / 3));
    let before = from;
    for (let piece = 1; piece <= pieces; piece += 1) {
      const t = piece / pieces;
      const point = {
        x: (1 - t) ** 2 * from.x + 2 * t * (1 - t) * control.x + t ** 2 * to.x,
        y: (1 - t) ** 2 * from.y + 2 * t * (1 - t) * control.y + t ** 2 * to.y,
      };
      desk.mark(desk.line(before, point, desk.size(), value()));
      before = point;
    }
  }

  return {
    ...about,
    start(desk, place) {
      [last, middle] = [place, place];
      desk.mark(desk.line(place, place, desk.size(), value()));
    },
    move(desk, place) {
      const next = midpoint(last, place);
      curve(desk, middle, last, next);
      [last, middle] = [place, next];
    },
    end(desk) {
      desk.mark(desk.line(middle, last, desk.size(), value()));
    },
  };
}

// `shape(desk, from, to)` draws and returns its rectangle; `constrain(from, to)` is what Shift makes of the second place.
function draggedTool(about, shape, constrain) {
  let from;
  const draw = (desk, place, isConstrained) => {
    desk.restore();
    desk.mark(shape(desk, from, isConstrained ? constrain(from, place) : place));
  };
  return {
    ...about,
    start(desk, place, isConstrained) {
      from = place;
      draw(desk, place, isConstrained);
    },
    move: draw,
  };
}

function toSquare(from, to) {
  const side = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y));
  return { x: from.x + Math.sign(to.x - from.x) * side, y: from.y + Math.sign(to.y - from.y) * side };
}

function toEighths(from, to) {
  const turn = Math.round(Math.atan2(to.y - from.y, to.x - from.x) / (Math.PI / 4)) * (Math.PI / 4);
  const length = (to.x - from.x) * Math.cos(turn) + (to.y - from.y) * Math.sin(turn);
  return { x: from.x + length * Math.cos(turn), y: from.y + length * Math.sin(turn) };
}

const lineTool = (value) =>
  draggedTool(
    { name: "line", label: "Line", icon: "line", key: "L", note: "Shift: in steps of 45 degrees" },
    (desk, from, to) => desk.line(from, to, desk.size(), value()),
    toEighths,
  );

const rectangleTool = (value) =>
  draggedTool(
    { name: "rectangle", label: "Rectangle", caption: "Box", icon: "rectangle", key: "R", note: "Shift: square" },
    (desk, from, to) => drawRectangle(desk.layer, from, to, value()),
    toSquare,
  );

function lassoTool(value) {
  let points;
  const draw = (desk) => {
    desk.restore();
    desk.mark(drawPolygon(desk.layer, points, value()));
  };
  return {
    ...{ name: "lasso", label: "Lasso", icon: "lasso", key: "O", note: "draw around what to mark" },
    start(desk, place) {
      points = [place];
    },
    move(desk, place) {
      points.push(place);
      draw(desk);
    },
  };
}

// One touch and done.
const touchTool = (about, act) => ({ ...about, start: act, move() {} });

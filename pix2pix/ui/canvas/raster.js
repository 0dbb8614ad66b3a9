// Shapes on a layer of whole pixels: nothing is blended, so a pixel holds one of the values that were drawn.
//
// A layer is {width, height, data}: one value a pixel, row by row, in a typed array. A rectangle is
// {left, top, right, bottom} in pixels, right and bottom not included. Points are {x, y}; the centre of the first
// pixel is (0.5, 0.5). Every function that draws returns the rectangle it may have changed.

const NOTHING = Object.freeze({ left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity });

const isNothing = (rect) => rect.left >= rect.right || rect.top >= rect.bottom;

const makeLayer = (width, height, Kind, value = 0) => ({ width, height, data: new Kind(width * height).fill(value) });

const wholeOf = (layer) => ({ left: 0, top: 0, right: layer.width, bottom: layer.height });

function union(one, other) {
  return {
    left: Math.min(one.left, other.left),
    top: Math.min(one.top, other.top),
    right: Math.max(one.right, other.right),
    bottom: Math.max(one.bottom, other.bottom),
  };
}

function clip(rect, layer) {
  return {
    left: Math.max(0, Math.floor(rect.left)),
    top: Math.max(0, Math.floor(rect.top)),
    right: Math.min(layer.width, Math.ceil(rect.right)),
    bottom: Math.min(layer.height, Math.ceil(rect.bottom)),
  };
}

function boundsOf(points, margin) {
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  const [left, top] = [xs, ys].map((values) => values.reduce((a, b) => Math.min(a, b)) - margin);
  const [right, bottom] = [xs, ys].map((values) => values.reduce((a, b) => Math.max(a, b)) + margin);
  return { left, top, right, bottom };
}

// A brush of odd width is centred on a pixel, one of even width on a corner: a straight line then has exactly its width.
function snapped({ x, y }, diameter) {
  return diameter % 2 ? { x: Math.floor(x) + 0.5, y: Math.floor(y) + 0.5 } : { x: Math.round(x), y: Math.round(y) };
}

// Where the row at height `y` meets a line from `a` to `b` with round ends: [from, to], from > to where it does not.
// The shape is convex, so that its outermost crossings are all there is to know.
function lineSpan(a, b, radius, y) {
  let [from, to] = [Infinity, -Infinity];
  const meet = (x) => {
    from = Math.min(from, x);
    to = Math.max(to, x);
  };
  for (const end of [a, b]) {
    const squared = radius ** 2 - (y - end.y) ** 2;
    if (squared >= 0) {
      meet(end.x - Math.sqrt(squared));
      meet(end.x + Math.sqrt(squared));
    }
  }
  const length = Math.hypot(b.x - a.x, b.y - a.y);
  if (length > 0) {
    const [nx, ny] = [(-(b.y - a.y) / length) * radius, ((b.x - a.x) / length) * radius];
    for (const [p, q] of [
      [{ x: a.x + nx, y: a.y + ny }, { x: b.x + nx, y: b.y + ny }],
      [{ x: a.x - nx, y: a.y - ny }, { x: b.x - nx, y: b.y - ny }],
    ]) {
      if ((p.y - y) * (q.y - y) < 0) meet(p.x + ((y - p.y) / (q.y - p.y)) * (q.x - p.x));
    }
  }
  return [from, to];
}

// Pixels whose centre lies between `from` and `to`; the small number forgives the rounding of square roots.
function fillSpan(layer, y, from, to, value) {
  const start = Math.max(0, Math.ceil(from - 0.5 - 1e-9));
  const end = Math.min(layer.width, Math.floor(to - 0.5 + 1e-9) + 1);
  if (start < end) layer.data.fill(value, y * layer.width + start, y * layer.width + end);
}

function drawLine(layer, from, to, diameter, value) {
  const [a, b] = [snapped(from, diameter), snapped(to, diameter)];
  const radius = diameter / 2;
  const rect = clip(boundsOf([a, b], radius), layer);
  for (let y = rect.top; y < rect.bottom; y += 1) fillSpan(layer, y, ...lineSpan(a, b, radius, y + 0.5), value);
  return rect;
}

// Both corners are pixels of the rectangle.
function drawRectangle(layer, one, other, value) {
  const [xs, ys] = [[one.x, other.x], [one.y, other.y]].map((pair) => pair.map(Math.floor));
  const rect = clip(
    { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs) + 1, bottom: Math.max(...ys) + 1 },
    layer,
  );
  for (let y = rect.top; y < rect.bottom; y += 1) fillSpan(layer, y, rect.left, rect.right, value);
  return rect;
}

// What the closed outline winds around, once or more: a loop that crosses itself has no holes.
function drawPolygon(layer, points, value) {
  const rect = clip(boundsOf(points, 0), layer);
  for (let y = rect.top; y < rect.bottom; y += 1) {
    const crossings = [];
    points.forEach((p, index) => {
      const q = points[(index + 1) % points.length];
      if (p.y <= y + 0.5 !== q.y <= y + 0.5) {
        crossings.push({ x: p.x + ((y + 0.5 - p.y) / (q.y - p.y)) * (q.x - p.x), turn: q.y > p.y ? 1 : -1 });
      }
    });
    crossings.sort((a, b) => a.x - b.x);
    let winding = 0;
    crossings.forEach(({ x, turn }, index) => {
      winding += turn;
      if (winding !== 0) fillSpan(layer, y, x, crossings[index + 1].x, value);
    });
  }
  return rect;
}

// The region of one value around a pixel, neighbours by sides and not by corners, run by run.
function floodFill(layer, point, value) {
  const { width, height, data } = layer;
  const [x, y] = [Math.floor(point.x), Math.floor(point.y)];
  const old = data[y * width + x];
  if (x < 0 || y < 0 || x >= width || y >= height || old === value) return NOTHING;
  let touched = NOTHING;
  const waiting = [y * width + x];
  while (waiting.length) {
    const place = waiting.pop();
    if (data[place] !== old) continue;
    const row = Math.floor(place / width);
    let [start, end] = [place, place + 1];
    while (start > row * width && data[start - 1] === old) start -= 1;
    while (end < (row + 1) * width && data[end] === old) end += 1;
    data.fill(value, start, end);
    touched = union(touched, { left: start - row * width, top: row, right: end - row * width, bottom: row + 1 });
    for (const shift of [-width, width]) {
      if (row + Math.sign(shift) < 0 || row + Math.sign(shift) >= height) continue;
      for (let at = start + shift; at < end + shift; at += 1) {
        if (data[at] === old && (at === start + shift || data[at - 1] !== old)) waiting.push(at);
      }
    }
  }
  return touched;
}

function scaled(layer, width, height) {
  const result = makeLayer(width, height, layer.data.constructor);
  const columns = Uint32Array.from({ length: width }, (_, x) => Math.floor(((x + 0.5) * layer.width) / width));
  for (let y = 0; y < height; y += 1) {
    const row = Math.floor(((y + 0.5) * layer.height) / height) * layer.width;
    for (let x = 0; x < width; x += 1) result.data[y * width + x] = layer.data[row + columns[x]];
  }
  return result;
}

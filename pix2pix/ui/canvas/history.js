// Undo and redo: each step keeps the pixels it changed, before and after, as runs of equal values.

const MOST_STEPS = 60;
const MOST_BYTES = 96 * 2 ** 20;

// Calls back with the place of each run of equal values in a rectangle, its length and value.
function eachRun(layer, rect, report) {
  const { width, data } = layer;
  let [value, count] = [data[rect.top * width + rect.left], 0];
  for (let y = rect.top; y < rect.bottom; y += 1) {
    for (let place = y * width + rect.left; place < y * width + rect.right; place += 1) {
      if (data[place] !== value) {
        report(value, count);
        [value, count] = [data[place], 0];
      }
      count += 1;
    }
  }
  report(value, count);
}

// What a rectangle of a layer holds. Noise has more runs than pixels' worth of bytes, so it is kept as runs all the
// same: the limit in bytes then drops old steps sooner.
function patchOf(layer, rect) {
  let runs = 0;
  eachRun(layer, rect, () => (runs += 1));
  const values = new layer.data.constructor(runs);
  const counts = new Uint32Array(runs);
  let index = 0;
  eachRun(layer, rect, (value, count) => {
    values[index] = value;
    counts[index] = count;
    index += 1;
  });
  return { width: layer.width, height: layer.height, rect, values, counts, bytes: values.byteLength + counts.byteLength };
}

// Puts a patch back, after giving the layer the size that it had then.
function putBack(layer, { width, height, rect, values, counts }) {
  if (layer.width !== width || layer.height !== height) Object.assign(layer, makeLayer(width, height, layer.data.constructor));
  let [x, y] = [rect.left, rect.top];
  counts.forEach((count, index) => {
    let left = count;
    while (left > 0) {
      const length = Math.min(left, rect.right - x);
      layer.data.fill(values[index], y * width + x, y * width + x + length);
      left -= length;
      x += length;
      if (x === rect.right) [x, y] = [rect.left, y + 1];
    }
  });
}

function copyRows(source, target, rect) {
  for (let y = rect.top; y < rect.bottom; y += 1) {
    const [start, end] = [y * source.width + rect.left, y * source.width + rect.right];
    target.data.set(source.data.subarray(start, end), start);
  }
}

// The smallest rectangle within `rect` that holds all differences of two layers of one size.
function difference(one, other, rect) {
  let found = NOTHING;
  for (let y = rect.top; y < rect.bottom; y += 1) {
    const row = y * one.width;
    let [first, last] = [rect.left, rect.right - 1];
    while (first <= last && one.data[row + first] === other.data[row + first]) first += 1;
    while (last > first && one.data[row + last] === other.data[row + last]) last -= 1;
    if (first <= last) found = union(found, { left: first, top: y, right: last + 1, bottom: y + 1 });
  }
  return found;
}

// Holds a layer together with its last finished state, from which a stroke under way can be taken back.
function createHistory(layer) {
  const finished = { ...layer, data: layer.data.slice() };
  const done = [];
  const undone = [];

  function keep(step) {
    done.push(step);
    undone.length = 0;
    let bytes = done.reduce((sum, { before, after }) => sum + before.bytes + after.bytes, 0);
    while (done.length > MOST_STEPS || (bytes > MOST_BYTES && done.length > 1)) {
      const { before, after } = done.shift();
      bytes -= before.bytes + after.bytes;
    }
  }

  function move(from, to, side) {
    const step = from.pop();
    if (!step) return NOTHING;
    to.push(step);
    putBack(layer, step[side]);
    putBack(finished, step[side]);
    return step[side].rect;
  }

  return {
    restore: (rect) => copyRows(finished, layer, rect),
    // Makes a step of what was drawn within `rect`; false where nothing differs.
    commit(rect) {
      const changed = isNothing(rect) ? NOTHING : difference(finished, layer, rect);
      if (isNothing(changed)) return false;
      keep({ before: patchOf(finished, changed), after: patchOf(layer, changed) });
      copyRows(layer, finished, changed);
      return true;
    },
    // Makes a step of another drawing, of any size.
    replace(next) {
      const after = patchOf(next, wholeOf(next));
      keep({ before: patchOf(finished, wholeOf(finished)), after });
      putBack(layer, after);
      putBack(finished, after);
    },
    // A new drawing without a way back.
    restart(next) {
      done.length = 0;
      undone.length = 0;
      Object.assign(layer, next);
      Object.assign(finished, next, { data: next.data.slice() });
    },
    undo: () => move(done, undone, "before"),
    redo: () => move(undone, done, "after"),
    canUndo: () => done.length > 0,
    canRedo: () => undone.length > 0,
  };
}

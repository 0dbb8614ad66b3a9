// The page: controls that change the place, the picture that follows them, and what is shown around it.
const QUIET_MS = 220, OTHERS = 12;
const canvas = part("picture"), link = part("save");
let isWanted = false, isBusy = false, quiet = 0, firstOther = 0;

// --- the picture ---

function name() {
  const text = nameOfPlace();
  part("where").textContent = text;
  canvas.setAttribute("aria-label", `${prior.title}: ${text}`);
}

function show(answer, image) {
  paint(canvas, image);
  link.href = answer.picture;
  link.download = `${prior.name}-${place.seed}.png`;
  link.hidden = false;
  board.dataset.result = answer.id;
  if (answer.layers === layers) return;
  layers = answer.layers;
  part("taken").max = layers;
  board.dataset.kind = layers > 1 ? "layered" : "flat";
  showControls();
  isWanted = place.mixed !== null || place.layers !== fresh().layers; // which had to wait for it
}

// One picture is asked for at a time; while it comes, only the newest place waits.
async function refresh() {
  isWanted = true;
  name();
  if (isBusy) return;
  isBusy = true;
  board.setAttribute("aria-busy", "true");
  while (isWanted) {
    isWanted = false;
    try {
      const mine = prior, answer = await ask("picture", prior.name, { point: pointAt() });
      const image = await decoded(answer.picture);
      if (mine !== prior) continue;
      say("");
      show(answer, image);
    } catch (error) {
      say(error.message);
    }
  }
  isBusy = false;
  board.setAttribute("aria-busy", "false");
  clearTimeout(quiet);
  quiet = setTimeout(settle, QUIET_MS);
}

// Once nothing has changed for a moment: the address, and what the directions would do from here.
function settle() {
  if (isBusy || walking) return;
  history.replaceState(history.state, "", addressOfPlace());
  const ends = place.shifts.flatMap((_, index) => [-MOST_SHIFT, MOST_SHIFT].map((end) => ({
    shifts: place.shifts.with(index, end),
  })));
  const second = secondSeed();
  const plain = { seed: second, toward: null, mixed: null, shifts: fresh().shifts };
  wantStrip("ends", [...ends, plain], (image) => {
    element.querySelectorAll(".explore-end canvas").forEach((small, index) => paint(small, image, index));
    paint(part("second").querySelector("canvas"), image, ends.length);
    board.dataset.settled = board.dataset.result;
  });
}

function changed(changes) {
  stop();
  place = { ...place, ...changes };
  showControls();
  refresh();
}

// Another picture, to which the browser's way back leads.
function go(changes) {
  history.replaceState(history.state, "", addressOfPlace());
  history.pushState(history.state, "", addressOfPlace());
  changed({ toward: null, share: 0, ...changes });
}

// --- the controls ---

const secondSeed = () => place.mixed ?? place.seed + 1;

function row(index) {
  const made = document.createElement("div");
  made.className = "explore-direction";
  const range = document.createElement("input");
  Object.assign(range, { type: "range", min: -MOST_SHIFT, max: MOST_SHIFT, step: 0.1, value: 0 });
  range.setAttribute("aria-label", `Direction ${index + 1}`);
  const shift = (value) => changed({ shifts: place.shifts.with(index, value) });
  range.addEventListener("input", () => shift(Number(range.value)));
  range.addEventListener("dblclick", () => shift(0));
  const number = document.createElement("span");
  number.textContent = index + 1;
  const [less, more] = [-1, 1].map((sign) => {
    const word = sign < 0 ? "one" : "the other";
    const button = smallButton(`Direction ${index + 1}, to ${word} end`, () => shift(sign * MOST_SHIFT));
    button.classList.add("explore-end");
    return button;
  });
  made.append(number, less, range, more);
  return made;
}

function showControls() {
  part("seed").value = place.seed;
  part("truncation").value = place.truncation;
  part("truncation-shown").textContent = place.truncation.toFixed(2);
  element.querySelectorAll(".explore-direction input").forEach((range, index) => {
    range.value = place.shifts[index];
    range.setAttribute("aria-valuetext", `${place.shifts[index]} standard deviations`);
    range.title = `${place.shifts[index]} standard deviations; a double click brings it back`;
  });
  for (const button of part("layers").children) button.setAttribute("aria-pressed", String(button.value === place.layers));
  part("mixed").value = secondSeed();
  part("taken").value = Math.min(place.taken, layers || place.taken);
  part("taken-shown").textContent = !place.taken ? "nothing" : place.taken >= layers ? "all" : `${place.taken} of ${layers} layers`;
  for (const button of part("priors").children) button.setAttribute("aria-pressed", String(button.value === prior.name));
  part("about").textContent = prior.about;
}

function showOthers() {
  const seeds = Array.from({ length: OTHERS }, (_, index) => firstOther + index);
  const plain = { toward: null, mixed: null, shifts: fresh().shifts };
  wantStrip("others", seeds.map((seed) => ({ ...plain, seed })), (image) => {
    part("others").replaceChildren(...seeds.map((seed, index) => {
      const button = smallButton(`Seed ${seed}`, () => go({ seed }));
      paint(button.firstChild, image, index);
      return button;
    }));
  });
}

function choosePrior(chosen) {
  prior = chosen;
  layers = 0;
  firstOther = 0;
  showControls();
  refresh();
  showOthers();
}

const wholeOf = (input) => (/^\d{1,15}$/.test(input.value) ? Number(input.value) : null);

function readSeed(input, use) {
  const seed = wholeOf(input);
  if (seed === null) { say("A seed is a whole number from 0 on."); showControls(); } else use(seed);
}

// --- walking ---

function stop() {
  walking = 0;
  part("walk").setAttribute("aria-pressed", "false");
}

function toggleWalk() {
  if (walking) { stop(); refresh(); return; }
  say("");
  part("walk").setAttribute("aria-pressed", "true");
  link.hidden = true; // of the picture before
  walk({
    draw: (image, index) => { paint(canvas, image, index); name(); part("seed").value = place.seed; },
    ended: () => { if (!walking) { stop(); showControls(); refresh(); } },
  });
}

async function saveFilm() {
  const button = part("film");
  button.disabled = true;
  button.dataset.busy = "true";
  try {
    const { file } = await ask("film", prior.name, { point: pointAt({ toward: null, share: 0 }) });
    const saved = document.createElement("a");
    [saved.href, saved.download] = [file.url, file.orig_name];
    saved.click();
    say("");
  } catch (error) {
    say(error.message);
  }
  button.disabled = false;
  delete button.dataset.busy;
}

// --- all together ---

function build() {
  part("directions").replaceChildren(...place.shifts.map((_, index) => row(index)));
  part("second").append(smallCanvas());
  part("priors").hidden = props.priors.length < 2;
  part("priors").replaceChildren(...props.priors.map((each) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", value: each.name, textContent: each.title });
    button.addEventListener("click", () => { if (each !== prior) { stop(); choosePrior(each); } });
    return button;
  }));
}

function hear() {
  const on = (where, event, act) => part(where).addEventListener(event, act);
  on("dice", "click", () => go({ seed: randomSeed() }));
  on("seed", "change", () => readSeed(part("seed"), (seed) => go({ seed })));
  on("truncation", "input", () => changed({ truncation: Number(part("truncation").value) }));
  on("truncation", "change", showOthers);
  for (const button of part("layers").children) button.addEventListener("click", () => changed({ layers: button.value }));
  on("mixed", "change", () => readSeed(part("mixed"), (mixed) => changed({ mixed })));
  on("mixed-dice", "click", () => changed({ mixed: randomSeed(), taken: place.taken || Math.round(layers / 2) }));
  on("taken", "input", () => changed({ mixed: secondSeed(), taken: Number(part("taken").value) }));
  on("reset", "click", () => { changed({ ...fresh(), mixed: place.mixed }); showOthers(); });
  on("more", "click", () => { firstOther += OTHERS; showOthers(); });
  on("walk", "click", toggleWalk);
  on("film", "click", saveFilm);
  addEventListener("popstate", () => {
    const told = placeOfAddress(location.hash);
    stop();
    place = told.place;
    if (told.prior !== prior) return choosePrior(told.prior);
    showControls();
    refresh();
  });
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof Element && event.target.closest("input:not([type=range]), textarea, select, dialog");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "n" || event.key === "N") part("dice").click();
    if (event.key === "w" || event.key === "W") part("walk").click();
    if (event.key === "d" || event.key === "D") link.click();
  });
}

build();
hear();
const told = placeOfAddress(location.hash);
place = told.place;
choosePrior(told.prior);

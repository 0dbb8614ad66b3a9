// The settings of a search: what is wrong, what to search in, how long; and the photo that they are about.
const board = element.querySelector(".p2p-restore");
const part = (name) => element.querySelector(`.restore-${name}`);
const { choices } = props;
const QUIET_MS = 250, FACTORS = [2, 4], MOST = 4, SEEDS = 100000, MASK_MS = 30000;
const settings = {
  degradation: choices.damage[0].name, prior: choices.first, solver: null, box: null,
  sigma: choices.start.sigma, isEstimated: true, factor: 4, blur: choices.start.blur,
  quality: choices.start.quality, isTold: true, seconds: 60, completions: 1, seed: 0,
};
let photo = null, quiet = 0, newest = 0;

// --- questions to the server ---

const open = new Map();
let asked = 0;

function ask(kind, question) {
  return new Promise((resolve, reject) => {
    const id = `${++asked}`;
    open.set(id, { resolve, reject });
    if (kind === "estimate") trigger("estimate", { id, ...question });
    else if (kind === "damage") trigger("damage", { id, ...question });
    else if (kind === "original") trigger("original", { id, ...question });
    else trigger("sample", { id, ...question });
  });
}

board.addEventListener("reply", ({ detail }) => {
  if ("photo" in detail) return lay(detail);
  const waiting = open.get(detail.id);
  open.delete(detail.id);
  if (detail.error) waiting?.reject(new Error(detail.error));
  else waiting?.resolve(detail);
});
board.addEventListener("refused", () => {
  for (const { reject } of open.values()) reject(new Error("The server could not take this. Please try again in a moment."));
  open.clear();
});

const live = () => document.getElementById(props.live);
const tell = (what) => live()?.dispatchEvent(new CustomEvent("told", { detail: what }));

// --- what is asked for ---

const damage = () => choices.damage.find((each) => each.name === settings.degradation);
const takes = (flag) => damage().flags.includes(flag);

// By the names of the command's flags, without what is left to it.
function told() {
  const { degradation, prior, solver, box, seed, completions, seconds } = settings;
  const said = { degradation, prior, solver, seconds, ...(hasSeeds() ? { seed, completions } : {}) };
  if (degradation === "denoise" && !settings.isEstimated) said.sigma = settings.sigma;
  if (takes("factor")) said.factor = settings.factor;
  if (takes("blur")) said.blur = settings.blur;
  if (takes("quality") && !settings.isTold) said.quality = settings.quality;
  if (prior !== null && box) said.box = box.join(",");
  return said;
}

// What the page's other part asks for: the photo, the settings, and whether a mask goes with them.
board.asked = () => ({
  photo: photo?.path ?? null, ratio: photo ? photo.width / photo.height : 1, settings: told(), paints: takes("mask"),
});

// A stroke reaches the server a moment after the hand is lifted.
const canvas = () => document.getElementById(props.mask);
board.painted = async () => {
  const late = performance.now() + MASK_MS;
  while (takes("mask") && performance.now() < late && canvas()?.querySelector(".canvas-frame[aria-busy=true]")) {
    await new Promise((done) => setTimeout(done, 50));
  }
};

function changed(changes = {}) {
  Object.assign(settings, changes);
  show();
  estimateSoon();
}

function estimateSoon() {
  clearTimeout(quiet);
  quiet = setTimeout(estimate, QUIET_MS);
}

async function estimate() {
  const mine = ++newest;
  if (!photo) return tell({ estimate: "" });
  let line;
  try {
    const { seconds, solver, steps } = await ask("estimate", { photo: photo.path, settings: told() });
    const time = seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
    const either = settings.solver === null && settings.prior === null && takes("mask") && settings.completions === 1;
    const wide = either ? " where holes are wide" : "";
    line = `At most about ${time}: ${solver}${wide}, ${steps.toLocaleString("en")} steps${hasSeeds() && settings.completions > 1 ? " each" : ""}.`;
  } catch (error) {
    line = error.message;
  }
  if (mine === newest) tell({ estimate: line });
}

// --- the photo ---

function lay({ photo: next, error }) {
  photo = next;
  settings.box = null;
  tell({ error: error ?? "" });
  show();
  estimateSoon();
}

// Photos that the server makes come in as any other: by the zone, which then says that it has one.
async function wish(kind) {
  const buttons = [part("do"), part("undo")];
  for (const button of buttons) button.disabled = true;
  try {
    await ask(kind, { photo: photo?.path ?? null, settings: told() });
    tell({ error: "" });
  } catch (error) {
    tell({ error: error.message });
  }
  for (const button of buttons) button.disabled = false;
}

board.addEventListener("example", () => wish("sample"));
board.addEventListener("ended", estimateSoon); // by what the server has learned of its pace

// The square that a prior searches: the one that was chosen, or the largest in the middle, as the command's.
function square() {
  if (settings.box) return settings.box;
  const side = Math.min(photo.width, photo.height);
  return [Math.floor((photo.width - side) / 2), Math.floor((photo.height - side) / 2), side];
}

function showSquare() {
  const stage = canvas()?.querySelector(".canvas-stage");
  if (!stage) return;
  let frame = stage.querySelector(".restore-frame");
  const isAll = !photo || settings.prior === null || (photo.width === photo.height && square()[2] === photo.width);
  if (isAll) return frame?.remove();
  frame ??= stage.appendChild(Object.assign(document.createElement("div"), { className: "restore-frame" }));
  const [left, top, side] = square(), { width, height } = photo;
  Object.assign(frame.style, {
    left: `${100 * left / width}%`, top: `${100 * top / height}%`, width: `${100 * side / width}%`, height: `${100 * side / height}%`,
  });
}

// --- the controls ---

function group(where, entries, isChosen, choose) {
  part(where).replaceChildren(...entries.map(({ value, title, note }) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: title, title: note ?? "", value: String(value) });
    button.addEventListener("click", () => choose(value));
    button.isChosen = () => isChosen(value);
    return button;
  }));
}

function slide(name, unit) {
  const range = part(name);
  range.value = settings[name];
  range.addEventListener("input", () => changed({ [name]: Number(range.value) }));
  range.shown = () => { range.parentElement.querySelector("output").textContent = `${settings[name]}${unit}`; };
}

function show() {
  const kind = damage(), hasPrior = settings.prior !== null;
  board.dataset.kind = kind.name;
  for (const button of element.querySelectorAll(".restore-choice button")) button.setAttribute("aria-pressed", String(button.isChosen()));
  part("damage-note").textContent = kind.note;
  part("of-sigma").hidden = kind.name !== "denoise";
  for (const flag of ["factor", "blur", "quality"]) part(`of-${flag}`).hidden = !takes(flag);
  for (const [name, isAuto] of [["sigma", settings.isEstimated], ["quality", settings.isTold]]) {
    part(`${name}-auto`).checked = isAuto;
    part(name).parentElement.hidden = isAuto;
  }
  for (const name of ["sigma", "blur", "quality"]) part(name).shown();
  part("prior-note").textContent = hasPrior ? choices.priors.find((each) => each.name === settings.prior).about
    : "Photos of any kind and size. The larger, the longer: best below 300 pixels a side.";
  showSolvers();
  part("seed").value = settings.seed;
  part("of-box").hidden = !hasPrior || !photo;
  if (photo) showPhoto(kind);
  part("trial").hidden = !photo;
  showSquare();
}

// Those for this damage, with or without a prior.
const solvers = () => choices.solvers.filter((each) => each.prior === (settings.prior !== null)
  && each.damage.includes(settings.degradation));

const hasSeeds = () => choices.solvers.find((each) => each.name === settings.solver)?.seeds ?? true;

function showSolvers() {
  const fitting = solvers(), named = (name) => fitting.find((each) => each.name === name);
  if (!named(settings.solver)) settings.solver = null;
  const automatic = settings.prior === null ? fitting[0].name : choices.automatic;
  const unnamed = settings.prior === null && choices.unnamed[settings.degradation];
  part("of-solver").hidden = fitting.length < 2;
  const first = new Option(unnamed ? "Automatic" : `Automatic: ${automatic}`, "");
  part("solver").replaceChildren(first, ...fitting.map(({ name }) => new Option(name, name)));
  part("solver").value = settings.solver ?? "";
  part("solver-note").textContent = (!settings.solver && unnamed) || named(settings.solver ?? automatic).note;
  part("of-completions").hidden = part("of-seed").hidden = !hasSeeds();
}

function showPhoto(kind) {
  const [left, top, side] = square();
  for (const [name, value] of [["left", left], ["top", top], ["side", side]]) part(name).value = value;
  part("square-shown").textContent = settings.box ? `${side} pixels a side` : "the largest, in the middle";
  part("do").hidden = photo.isDamaged;
  part("do").textContent = kind.name === "inpaint" ? "Make holes in it" : "Damage it";
  part("undo").hidden = part("link").hidden = !photo.isDamaged;
  part("trial-note").textContent = photo.isDamaged ? "Damaged for trying. The result is compared with the original." : "Only trying?";
  if (photo.isDamaged) [part("link").href, part("link").download] = [photo.file.url, photo.name];
}

const wholeOf = (input, least = 0) => (/^\d{1,9}$/.test(input.value) && Number(input.value) >= least ? Number(input.value) : null);

function readBox() {
  const box = [wholeOf(part("left")), wholeOf(part("top")), wholeOf(part("side"), 1)];
  if (box.includes(null) || box[0] + box[2] > photo.width || box[1] + box[2] > photo.height) {
    tell({ error: `The square has to lie within the photo of ${photo.width} × ${photo.height} pixels.` });
    return show();
  }
  tell({ error: "" });
  changed({ box });
}

function build() {
  const chosen = (name) => (value) => settings[name] === value;
  const set = (name) => (value) => changed({ [name]: value });
  group("damage", choices.damage.map(({ name, title, note }) => ({ value: name, title, note })), chosen("degradation"), set("degradation"));
  group("factor", FACTORS.map((value) => ({ value, title: `${value} × larger` })), chosen("factor"), set("factor"));
  const priors = choices.priors.map(({ name, title }) => ({ value: name, title }));
  group("prior", [{ value: null, title: "Any photo" }, ...priors], chosen("prior"), (prior) => changed({ prior, solver: null, box: null }));
  group("seconds", choices.seconds, chosen("seconds"), set("seconds"));
  const counts = Array.from({ length: MOST }, (_, index) => ({ value: index + 1, title: index + 1 }));
  group("completions", counts, chosen("completions"), set("completions"));
  slide("sigma", " of 255");
  slide("blur", " px");
  slide("quality", " of 100");
}

function hear() {
  const on = (where, event, act) => part(where).addEventListener(event, act);
  on("sigma-auto", "change", () => changed({ isEstimated: part("sigma-auto").checked }));
  on("quality-auto", "change", () => changed({ isTold: part("quality-auto").checked }));
  on("solver", "change", () => changed({ solver: part("solver").value || null }));
  for (const name of ["left", "top", "side"]) on(name, "change", readBox);
  on("middle", "click", () => changed({ box: null }));
  on("seed", "change", () => { const seed = wholeOf(part("seed")); if (seed === null) show(); else changed({ seed }); });
  on("dice", "click", () => changed({ seed: Math.floor(Math.random() * SEEDS) }));
  on("do", "click", () => wish("damage"));
  on("undo", "click", () => wish("original"));
}

// A link may say how the page begins: #degradation=denoise&prior=faces&solver=w&seconds=30&completions=2&seed=7
function readAddress() {
  const told = new URLSearchParams(location.hash.slice(1));
  const among = (name, entries) => (entries.some((each) => each.name === told.get(name)) ? told.get(name) : null);
  const within = (name, least, most) => {
    const value = told.has(name) ? Number(told.get(name)) : NaN;
    return value >= least && value <= most ? value : null;
  };
  settings.degradation = among("degradation", choices.damage) ?? settings.degradation;
  settings.prior = among("prior", choices.priors) ?? settings.prior;
  settings.solver = among("solver", solvers());
  settings.seconds = within("seconds", 0.1, choices.most) ?? settings.seconds;
  settings.completions = Math.round(within("completions", 1, MOST) ?? settings.completions);
  settings.seed = Math.round(within("seed", 0, 1e9) ?? settings.seed);
}

build();
hear();
readAddress();
show();

// The panel of a result: before and after under one line to drag, the file to download, samples, earlier results.
const KEEP = 24;
const part = (name) => element.querySelector(`.result-${name}`);
const panel = element.querySelector(".p2p-result");
const frame = part("frame"), range = part("range"), before = part("before"), after = part("after");
const earlier = [];
let current = null, sample = 0, turn = 0, slow = 0;

const number = new Intl.NumberFormat("en");
const megabytes = (bytes) => bytes < 1e5 ? `${Math.max(1, Math.round(bytes / 1e3))}\u00a0kB` : `${(bytes / 1e6).toFixed(1)}\u00a0MB`;

function line() {
  frame.style.setProperty("--at", `${range.value / 10}%`);
  part("tag-before").classList.toggle("is-away", range.value < 180);
  part("tag-after").classList.toggle("is-away", range.value > 820);
  range.setAttribute("aria-valuetext", `${Math.round(range.value / 10)} % before`);
}
range.addEventListener("input", line);
line();

// Decoded before it is shown, so that a live result replaces the one before it without a blank moment.
async function ready(url) {
  const image = new Image();
  image.src = url;
  try { await image.decode(); } catch { return null; }
  return image;
}

function say(text) {
  part("error").textContent = text ?? "";
  part("error").hidden = !text;
}

// Why there is no new result: the one before it is not to be taken for it, and waits among the earlier ones.
function fail(text) {
  turn++;
  say(text);
  panel.classList.add("is-old");
  part("download").hidden = true;
  part("history").hidden = earlier.length < 1;
}

function thumbnail(url, label, isChosen, choose) {
  const button = document.createElement("button");
  button.type = "button";
  button.title = label;
  button.setAttribute("aria-label", label);
  button.setAttribute("aria-pressed", String(isChosen));
  const image = document.createElement("img");
  image.src = url;
  image.alt = "";
  image.addEventListener("error", () => button.remove());
  button.append(image);
  button.addEventListener("click", choose);
  return button;
}

function showSamples() {
  const isMany = current.after.length > 1;
  part("samples").hidden = !isMany;
  part("spread").hidden = !(isMany && current.spread);
  if (!isMany) return;
  part("samples").replaceChildren(...current.after.map((each, index) =>
    thumbnail(each.url, `Sample ${index + 1}`, index === sample, () => show(current, index))));
  if (!current.spread) return;
  part("spread").querySelector("img").src = current.spread.url;
  part("levels").textContent = current.levels;
}

function showEarlier() {
  part("history").hidden = earlier.length < 2;
  part("earlier").replaceChildren(...earlier.map((each, index) =>
    thumbnail(each.after[0].url, `Result ${earlier.length - index}`, each === current, () => show(each, 0))));
}

// Shows a result, unless a newer one was asked for while its pictures came.
async function show(result, index) {
  const mine = ++turn;
  const [first, second] = await Promise.all([ready(result.before.url), ready(result.after[index].url)]);
  if (mine !== turn) return;
  if (!first || !second) return say("This result is no longer kept on the server. Please make it anew.");
  say("");
  panel.classList.remove("is-old");
  [current, sample] = [result, index];
  frame.style.setProperty("--ratio", second.naturalWidth / second.naturalHeight);
  before.src = first.src;
  after.src = second.src;
  const file = result.files[index];
  const link = part("download");
  link.hidden = false;
  link.href = file.url;
  link.download = file.orig_name;
  link.querySelector("small").textContent = `${file.orig_name}, ${megabytes(file.size)}`;
  part("facts").textContent =
    `${number.format(result.width)} × ${number.format(result.height)} pixels, ${result.seconds.toFixed(result.seconds < 10 ? 2 : 0)} s`;
  if (result.lines) part("facts").textContent += `; ${result.lines[index]}`;
  part("command").hidden = !result.command;
  part("command").querySelector("code").textContent = result.command ?? "";
  part("copy").textContent = "Copy";
  part("empty").hidden = true;
  part("shown").hidden = false;
  panel.dataset.result = result.id;
  showSamples();
  showEarlier();
}

part("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(current.command);
    part("copy").textContent = "Copied";
  } catch { // allowed on this machine or over an encrypted line only
    getSelection().selectAllChildren(part("command").querySelector("code"));
  }
});

function work(isBusy) {
  clearTimeout(slow);
  panel.setAttribute("aria-busy", String(isBusy));
  if (!isBusy) return panel.classList.remove("is-slow");
  slow = setTimeout(() => panel.classList.add("is-slow"), 250);
}
panel.addEventListener("working", () => work(true));
panel.addEventListener("done", () => work(false));

watch("value", () => {
  work(false);
  const value = props.value;
  if (!value) return;
  if (value.error) return fail(value.error);
  if (!value.after || value.id === earlier[0]?.id) return;
  earlier.unshift(value);
  earlier.splice(KEEP);
  show(value, 0);
});

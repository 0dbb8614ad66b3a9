// A search under way: the picture so far, how far it is and how long it still takes; a start, and a stop that keeps it.
const part = (name) => element.querySelector(`.live-${name}`);
const panel = element.querySelector(".p2p-live"), bar = element.querySelector("progress");
const board = () => document.getElementById(props.board);

function say(text) {
  part("error").textContent = text ?? "";
  part("error").hidden = !text;
}

function become(state) {
  panel.dataset.state = state;
  part("idle").hidden = state !== "idle";
  part("going").hidden = state === "idle";
}

const time = (seconds) => (seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`);

function lineOf(value) {
  if (!value.preview) return value.waiting ? "Another search is under way, yours is next in turn…" : "Getting ready…";
  const said = [`Step ${value.step.toLocaleString("en")} of ${value.steps.toLocaleString("en")}`];
  if (value.misfit !== null) said.push(`misfit ${value.misfit.toFixed(1)} of 255`);
  if (value.left !== null) said.push(`about ${time(value.left)} left`);
  return `${value.count > 1 ? `Picture ${value.number} of ${value.count}. ` : ""}${said.join(", ")}`;
}

function show(value) {
  become("going");
  part("line").textContent = lineOf(value);
  part("picture").hidden = !value.preview;
  if (!value.preview) return bar.removeAttribute("value");
  bar.value = (value.number - 1 + value.step / value.steps) / value.count;
  if (part("picture").src !== value.preview) part("picture").src = value.preview;
  panel.dataset.shown = `${value.number}:${value.step}`;
}

part("start").addEventListener("click", async () => {
  const asked = board().asked();
  if (!asked.photo) return say("Choose a photo first, or try an example.");
  say("");
  part("frame").style.setProperty("--ratio", asked.ratio);
  part("stop").disabled = false;
  show({ waiting: false });
  if (matchMedia("(max-width: 860px)").matches) panel.scrollIntoView({ block: "start" });
  await board().painted();
  trigger("start", asked);
});

part("stop").addEventListener("click", () => {
  part("stop").disabled = true;
  part("line").textContent = "Stopping…";
  trigger("stop");
});

panel.addEventListener("told", ({ detail }) => {
  if ("estimate" in detail) part("estimate").textContent = detail.estimate;
  if ("error" in detail && panel.dataset.state === "idle") say(detail.error);
});
// The server did not take the request.
panel.addEventListener("refused", () => {
  become("idle");
  say("The server could not take this. Please try again in a moment.");
});

watch("value", () => {
  const { value } = props;
  if (!value) return;
  if (value.going) return part("stop").disabled ? undefined : show(value);
  become("idle");
  board()?.dispatchEvent(new Event("ended"));
  part("picture").hidden = true;
  part("picture").removeAttribute("src");
  say(value.error);
});

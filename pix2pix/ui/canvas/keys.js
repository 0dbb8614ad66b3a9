// Keyboard shortcuts, files dropped or pasted: heard while a canvas has the focus or the pointer is over it.

// Sliders, boxes and colours take letters to no use of their own; all other fields are for typing.
function takesText(target) {
  if (target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName)) return true;
  return target.tagName === "INPUT" && !["range", "checkbox", "radio", "button", "color"].includes(target.type);
}

// "Ctrl+Shift+Z" for an event, with ⌘ counted as Ctrl; characters that need Shift on some keyboards go by themselves.
function combination(event) {
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const isLetter = /^[A-Z]$/.test(key);
  return [event.ctrlKey || event.metaKey ? "Ctrl" : "", event.shiftKey && isLetter ? "Shift" : "", key]
    .filter(Boolean)
    .join("+");
}

// `shortcuts`: [{keys: ["Ctrl+Z"], act}]; `take(file)` gets a picture that is pasted.
function listen(frame, shortcuts, take) {
  const ended = new AbortController();
  const acts = new Map(shortcuts.flatMap(({ keys, act }) => keys.map((key) => [key, act])));
  let isUnderPointer = false;
  frame.addEventListener("pointerenter", () => (isUnderPointer = true));
  frame.addEventListener("pointerleave", () => (isUnderPointer = false));

  function isMeant(event) {
    if (!frame.isConnected) ended.abort(); // the page took the canvas away
    const target = event.target instanceof Element ? event.target : document.body;
    if (!frame.isConnected || event.defaultPrevented || takesText(target)) return false;
    return frame.contains(target) || (isUnderPointer && !target.closest(".canvas-frame"));
  }

  const hear = (type, act) => document.addEventListener(type, (event) => isMeant(event) && act(event), { signal: ended.signal });
  hear("keydown", (event) => {
    const isTyped = event.getModifierState("AltGraph"); // [ and ] on many keyboards: not Ctrl and Alt, though both are set
    const act = isTyped ? acts.get(event.key) : event.altKey ? undefined : acts.get(combination(event));
    if (!act) return;
    event.preventDefault();
    act();
  });
  hear("paste", (event) => {
    const file = pictureAmong(event.clipboardData?.files ?? []);
    if (!file) return;
    event.preventDefault();
    take(file);
  });
}

// `take(file, isShifted)` gets a picture that is dropped on the canvas.
function acceptDrops(stage, take, complain) {
  const mark = (isOver) => stage.classList.toggle("canvas-over", isOver);
  stage.addEventListener("dragover", (event) => {
    event.preventDefault();
    mark(true);
  });
  stage.addEventListener("dragleave", () => mark(false));
  stage.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    const file = pictureAmong(event.dataTransfer.files);
    if (file) take(file, event.shiftKey);
    else complain();
  });
}

// [[keys, what they do]] as a table that opens on demand.
function makeKeyList(rows) {
  const lines = rows.map(([keys, meaning]) => {
    const names = keys.flatMap((key, index) => [...(index ? [" or "] : []), make("kbd", {}, keyName(key))]);
    return make("div", { class: "canvas-key" }, make("span", {}, ...names), make("span", {}, meaning));
  });
  return make("details", { class: "canvas-keys" }, make("summary", {}, "Keyboard shortcuts"), make("div", {}, ...lines));
}

// Buttons, sliders and boxes, made of plain elements with names for those who do not see them.

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  element.append(...children);
  return element;
}

const isApple = /Mac|iPhone|iPad/.test(navigator.platform);

// "Ctrl+Z" as the person's keyboard names it.
const keyName = (key) => (isApple ? key.replace("Ctrl+", "⌘").replace("Shift+", "⇧").replace("Alt+", "⌥") : key);

// `caption` stands under the icon, `title` is the full name.
function makeButton({ label, icon, key, act, title = label, caption = label }) {
  const hint = key ? `${title} (${keyName(key)})` : title;
  const button = make("button", { type: "button", class: "canvas-button", title: hint, "aria-label": title });
  if (key) button.setAttribute("aria-keyshortcuts", key.replace("Ctrl", isApple ? "Meta" : "Control"));
  button.append(iconOf(icon), make("span", { class: "canvas-caption", "aria-hidden": "true" }, caption));
  button.addEventListener("click", act);
  return button;
}

const press = (button, isPressed) => button.setAttribute("aria-pressed", String(isPressed));

const makeGroup = (label, ...children) => make("div", { class: "canvas-group", role: "group", "aria-label": label }, ...children);

// Moves evenly in the square root of the size: fine for small brushes, and still fast to the largest.
function makeSizeSlider(change) {
  const steps = 1000;
  const slider = make("input", { type: "range", min: "0", max: String(steps), step: "1", "aria-label": "Brush size" });
  const shown = make("output", { class: "canvas-size-shown" });
  let [most, size] = [1, 1];
  const showPart = () => slider.style.setProperty("--part", `${(100 * Number(slider.value)) / steps}%`);

  function set(wanted) {
    size = Math.max(1, Math.min(most, Math.round(wanted)));
    slider.value = String(Math.round(steps * Math.sqrt((size - 1) / Math.max(1, most - 1))));
    slider.setAttribute("aria-valuetext", `${size} pixels`);
    showPart();
    slider.title = `Brush size: ${size} pixels ([ and ])`;
    shown.textContent = `${size} px`;
  }

  slider.addEventListener("input", () => {
    const kept = slider.value;
    set(1 + (most - 1) * (Number(kept) / steps) ** 2);
    slider.value = kept; // or the thumb would jump under the finger
    showPart();
    change();
  });
  return {
    element: make("label", { class: "canvas-size" }, make("span", {}, "Brush"), slider, shown),
    size: () => size,
    set,
    limit(largest) {
      most = largest;
      set(size);
    },
    step(direction) {
      set(size + direction * Math.max(1, Math.round(size * 0.15)));
      change();
    },
  };
}

function makeBox(label, isChecked, change) {
  const box = make("input", { type: "checkbox" });
  box.checked = isChecked;
  box.addEventListener("change", () => change(box.checked));
  return { element: make("label", { class: "canvas-box" }, box, make("span", {}, label)), isChecked: () => box.checked };
}

function makeSelect(label, change) {
  const select = make("select", { "aria-label": label, title: label });
  select.addEventListener("change", () => change(select.value));
  return {
    element: make("label", { class: "canvas-select" }, select),
    // `choices`: [[value, text]]
    show(choices, chosen) {
      select.replaceChildren(...choices.map(([value, text]) => make("option", { value }, text)));
      select.value = chosen;
    },
  };
}

// `entries`: [[name, css colour]]; one of them is chosen, none where `mark` gets -1.
function makeSwatches(label, entries, choose) {
  const buttons = entries.map(([name, colour], index) => {
    const key = index < 9 ? ` (${index + 1})` : "";
    const button = make("button", { type: "button", class: "canvas-swatch", title: name + key, "aria-label": name });
    const patch = make("span", { class: "canvas-patch", "aria-hidden": "true" });
    patch.style.backgroundColor = colour;
    button.append(patch, make("span", { class: "canvas-name", "aria-hidden": "true" }, name));
    button.addEventListener("click", () => choose(index));
    return button;
  });
  const palette = make("div", { class: "canvas-palette", role: "group", "aria-label": label }, ...buttons);
  return {
    element: palette,
    mark: (chosen) => buttons.forEach((button, index) => press(button, index === chosen)),
    keys: buttons.slice(0, 9).map((_, index) => ({ keys: [String(index + 1)], act: () => choose(index) })),
  };
}

// Four bytes of a pixel as one number, for layers and tables of colours; every browser's machine is little-endian.
const packedColour = ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

const wordsOf = (bytes) => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);

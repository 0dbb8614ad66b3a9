// The toolbar of a canvas, and the shortcuts of everything on it.

// What a canvas can do beside drawing. `acts`: {undo, redo, clear, load, save, example}.
function commandsOf(kind, acts) {
  const example = { label: "Example", title: "Random example", icon: "example", key: "N", act: acts.example };
  return [
    ...(kind.actions ?? []),
    ...(kind.hasExamples ? [example] : []),
    { label: "Clear", icon: "clear", key: "Delete", act: acts.clear },
    { label: "Load", title: `Load a ${kind.about}`, icon: "load", key: "Ctrl+O", act: acts.load },
    { label: "Save", title: `Save the ${kind.about}`, icon: "save", key: "Ctrl+S", act: acts.save },
  ];
}

function shortcutsOf(kind, acts, slider, commands) {
  const told = ({ label, note }) => (note ? `${label} (${note})` : label);
  return [
    ...kind.tools.map((tool) => ({ keys: [tool.key], act: () => acts.choose(tool.name), meaning: told(tool) })),
    { keys: ["["], act: () => slider.step(-1), meaning: "Smaller brush" },
    { keys: ["]"], act: () => slider.step(1), meaning: "Larger brush" },
    { keys: ["Ctrl+Z"], act: acts.undo, meaning: "Undo" },
    { keys: ["Ctrl+Shift+Z", "Ctrl+Y"], act: acts.redo, meaning: "Redo" },
    ...commands.map(({ key, act, label, title = label }) => ({ keys: [key], act, meaning: title })),
  ];
}

// `acts` as above and `choose(name)`, which the buttons of the tools call.
function createToolbar(kind, slider, acts) {
  const buttons = kind.tools.map((tool) => makeButton({ ...tool, title: tool.label, act: () => acts.choose(tool.name) }));
  const undo = makeButton({ label: "Undo", icon: "undo", key: "Ctrl+Z", act: acts.undo });
  const redo = makeButton({ label: "Redo", icon: "redo", key: "Ctrl+Shift+Z", act: acts.redo });
  const commands = commandsOf(kind, acts);
  return {
    element: make(
      "div",
      { class: "canvas-toolbar", role: "toolbar", "aria-label": "Drawing" },
      makeGroup("Tools", ...buttons),
      slider.element,
      ...(kind.beside ?? []),
      makeGroup("Steps and files", undo, redo, ...commands.map(makeButton)),
    ),
    shortcuts: shortcutsOf(kind, acts, slider, commands),
    mark: (chosen) => kind.tools.forEach((tool, index) => press(buttons[index], tool === chosen)),
    enable(history) {
      undo.disabled = !history.canUndo();
      redo.disabled = !history.canRedo();
    },
  };
}

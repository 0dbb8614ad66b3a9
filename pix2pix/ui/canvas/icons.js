// Icons, drawn for this page on a grid of 24, in the colour of the text around them.

const ICON_PATHS = {
  brush: "M14 11 20 4M13.5 10.5l2.5 2.5M5 20c0-4 1.5-7 5-7a3.5 3.5 0 0 1 3 5c-1.5 2-5 2-8 2z",
  pencil: "M4 20l1-4.5L16 4.5l3.5 3.5L8.5 19zM14 6.5l3.5 3.5",
  rectangle: "M4 6h16v12H4z",
  line: "M5 19 19 5M3.5 20.5h.01M20.5 3.5h.01",
  fill: "M11 4 4 11l6.5 6.5L18 10 9.5 2.5M20 14c1.5 2.5 2 3.5 2 4.5a2 2 0 0 1-4 0c0-1 .5-2 2-4.5zM5 12h11",
  pick: "M19.5 4.5a2.1 2.1 0 0 0-3 0L13 8l3 3 3.5-3.5a2.1 2.1 0 0 0 0-3zM11.5 6.5l6 6M13 8.5 5 16.5V19h2.5l8-8",
  eraser: "M9 19 3.5 13.5 13 4l7.5 7.5L13 19zM8 9l7.5 7.5M7 19h14",
  lasso: "M12 4c5 0 9 2.5 9 5.5S17 15 12 15s-9-2.5-9-5.5S7 4 12 4zM7 14.5c-2 1-2 3.5 0 4s2.5 1.5 1 3",
  invert: "M4 4h16v16H4zM4 20 20 4v16z",
  undo: "M8 5 4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11H9",
  redo: "M16 5l4 4-4 4M20 9H10a5.5 5.5 0 0 0 0 11h5",
  clear: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
  example: "M5 5h14v14H5zM9 9h.01M15 9h.01M12 12h.01M9 15h.01M15 15h.01",
  load: "M12 15V4M8 8l4-4 4 4M4 15v5h16v-5",
  save: "M12 4v11M8 11l4 4 4-4M4 15v5h16v-5",
};

function iconOf(name) {
  const space = "http://www.w3.org/2000/svg";
  const icon = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  const look = { viewBox: "0 0 24 24", "aria-hidden": "true", class: "canvas-icon" };
  Object.entries(look).forEach(([key, value]) => icon.setAttribute(key, value));
  path.setAttribute("d", ICON_PATHS[name]);
  icon.append(path);
  return icon;
}

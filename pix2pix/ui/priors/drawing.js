// Pictures on the page: the large one, and small ones out of a strip, all enlarged smoothly.
function paint(canvas, image, index = 0, side = image.naturalWidth) {
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, index * side, side, side, 0, 0, canvas.width, canvas.height);
}

function smallCanvas() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 96;
  return canvas;
}

function smallButton(label, choose) {
  const button = document.createElement("button");
  button.type = "button";
  button.title = label;
  button.setAttribute("aria-label", label);
  button.append(smallCanvas());
  button.addEventListener("click", choose);
  return button;
}

function say(text) {
  part("error").textContent = text ?? "";
  part("error").hidden = !text;
}

// Small pictures are asked for one strip after the other, and only the newest of those that wait for a purpose.
const purposes = new Map();
let isAsking = false;

function wantStrip(purpose, changes, use) {
  purposes.set(purpose, { changes, use });
  if (!isAsking) askStrips();
}

async function askStrips() {
  isAsking = true;
  while (purposes.size) {
    const [purpose, { changes, use }] = purposes.entries().next().value;
    purposes.delete(purpose);
    try {
      const answer = await ask("strip", prior.name, { points: changes.map((each) => pointAt(each)) });
      use(await decoded(answer.strip));
    } catch (error) {
      say(error.message);
    }
  }
  isAsking = false;
}

// Questions to the server, and their answers.
const board = element.querySelector(".p2p-explore");
const part = (name) => element.querySelector(`.explore-${name}`);
const open = new Map();
let asked = 0;

// The answer to a question of that kind about a prior. Rejects with the line that says why there is none.
function ask(kind, prior, question) {
  return new Promise((resolve, reject) => {
    const id = `${++asked}`;
    open.set(id, { resolve, reject });
    if (kind === "picture") trigger("picture", { id, prior, ...question });
    else if (kind === "strip") trigger("strip", { id, prior, ...question });
    else if (kind === "leg") trigger("leg", { id, prior, ...question });
    else trigger("film", { id, prior, ...question });
  });
}

board.addEventListener("reply", (event) => {
  const answer = event.detail, waiting = open.get(answer.id);
  if (!waiting) return;
  open.delete(answer.id);
  if (answer.error) waiting.reject(new Error(answer.error));
  else waiting.resolve(answer);
});

board.addEventListener("refused", () => {
  for (const { reject } of open.values()) reject(new Error("The server could not take this. Please try again in a moment."));
  open.clear();
});

async function decoded(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

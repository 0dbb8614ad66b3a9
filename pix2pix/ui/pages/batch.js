// Many files: how far it is, how long it still takes, then the zip and a line for each picture that was not made.
const part = (name) => element.querySelector(`.batch-${name}`);
const only = (...names) => {
  for (const name of ["going", "error", "done", "empty"]) part(name).hidden = !names.includes(name);
};
const pictures = (count) => `${count} ${count === 1 ? "picture" : "pictures"}`;

function left(value) {
  if (!value.done || value.done === value.total) return "";
  const seconds = Math.ceil(value.seconds / value.done * (value.total - value.done));
  return seconds < 90 ? `, about ${seconds} s left` : `, about ${Math.round(seconds / 60)} min left`;
}

watch("value", () => {
  const value = props.value;
  if (!value) return only("empty");
  if (value.error) {
    part("error").textContent = value.error;
    return only("error");
  }
  if (value.zip) {
    const link = part("download");
    link.href = value.zip.url;
    link.download = value.zip.orig_name;
    link.querySelector("small").textContent = `${value.zip.orig_name}, ${Math.max(0.1, value.zip.size / 1e6).toFixed(1)}\u00a0MB`;
    part("count").textContent = value.cancelled
      ? `Cancelled. What was done by then, ${pictures(value.done)}, is in the zip.`
      : `${pictures(value.done)} done.`;
    part("failed").hidden = !value.failed.length;
    part("failed").querySelector("ul").replaceChildren(...value.failed.map((line) => {
      const item = document.createElement("li");
      item.textContent = line;
      return item;
    }));
    return only("done");
  }
  const bar = element.querySelector("progress");
  if (value.total) { bar.max = value.total; bar.value = value.done; } else bar.removeAttribute("value");
  part("line").textContent = !value.total ? "Getting ready…"
    : `${value.done} of ${pictures(value.total)}${value.cancelled ? ", stopping after this one" : left(value)}`;
  only("going");
});

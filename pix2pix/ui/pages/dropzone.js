// Where a photo comes in: chosen, dropped, pasted or taken; the file is sent as it is, never encoded anew.
const part = (name) => element.querySelector(`.drop-${name}`);
const zone = element.querySelector(".p2p-drop");
const input = part("file"), image = part("image"), dialog = part("dialog"), video = element.querySelector("video");
let turn = 0, address = null;
zone.classList.toggle("is-covered", Boolean(props.covered));

const megabytes = (bytes) => bytes < 1e5 ? `${Math.max(1, Math.round(bytes / 1e3))}\u00a0kB` : `${(bytes / 1e6).toFixed(1)}\u00a0MB`;

function say(text) {
  part("status").textContent = text ?? "";
  part("status").hidden = !text;
}

function show(url, name, size) {
  image.hidden = props.covered;
  image.src = url;
  part("name").textContent = size ? `${name}, ${megabytes(size)}` : name;
  part("empty").hidden = true;
  part("shown").hidden = false;
  zone.classList.add("has-photo");
}
// TIFF and the like: the result's panel has a preview of them.
image.addEventListener("error", () => { image.hidden = true; });

async function take(file) {
  if (!file) return;
  if (file.size > props.most) return say(`${file.name} has ${megabytes(file.size)}; at most ${megabytes(props.most)} can be sent here.`);
  const mine = ++turn;
  if (address) URL.revokeObjectURL(address);
  address = URL.createObjectURL(file);
  say(file.size > 3e6 ? "Sending the photo…" : "");
  try {
    const sent = await upload(file);
    if (mine !== turn) return;
    say("");
    show(address, file.name, file.size);
    props.value = sent.path;
    trigger("input");
  } catch {
    if (mine === turn) say("This file could not be sent: it may be that the server is busy, or the connection was lost. Please try again.");
  }
}

for (const button of element.querySelectorAll(".drop-choose")) button.addEventListener("click", () => input.click());
for (const button of element.querySelectorAll(".drop-example")) {
  button.hidden = !props.has_example;
  button.addEventListener("click", () => trigger("example"));
}
input.addEventListener("change", () => { take(input.files[0]); input.value = ""; });

const isShown = () => zone.offsetParent !== null;
zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("is-over"); });
zone.addEventListener("dragleave", () => zone.classList.remove("is-over"));
zone.addEventListener("drop", (event) => {
  event.preventDefault();
  zone.classList.remove("is-over");
  take(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])].find((each) => each.type.startsWith("image/"));
  if (!file || !isShown() || event.defaultPrevented) return;
  event.preventDefault();
  take(file);
});

// A camera needs a page on this machine or an encrypted one; a phone's own chooser offers it as well.
const cameras = element.querySelectorAll(".drop-camera");
for (const button of cameras) {
  button.hidden = !navigator.mediaDevices?.getUserMedia;
  button.addEventListener("click", async () => {
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1920 } } });
      await video.play();
      dialog.showModal();
    } catch {
      say("There is no camera here, or its use was not allowed.");
    }
  });
}
dialog.addEventListener("close", () => {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
});
part("cancel").addEventListener("click", () => dialog.close());
part("shoot").addEventListener("click", () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  canvas.toBlob((blob) => { dialog.close(); take(new File([blob], "photo.png", { type: "image/png" })); }, "image/png");
});

// Set by the server: an example, which then goes the way of any photo.
watch("value", () => {
  const example = props.value?.example;
  if (!example) return;
  turn++;
  say("");
  show(example.url, example.orig_name, example.size);
  props.value = example.path;
  trigger("input");
});

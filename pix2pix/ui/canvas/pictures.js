// Pictures that come in: from a file, the clipboard, or an address that Python gave; decoded to bytes.

const LONGEST = 2048;

// What Python sends is an address, or gradio's description of a file, which holds one.
const addressOf = (source) => (typeof source === "string" ? source : source.url);

// A data: address is decoded here, because a page that forbids connections elsewhere forbids to fetch it too.
async function blobOf(address) {
  if (!address.startsWith("data:")) {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return answer.blob();
  }
  const [, type, content] = /^data:([^;,]*);base64,(.*)$/s.exec(address);
  return new Blob([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], { type });
}

// Colours as the file holds them, as on the server: a profile would move a label's colour.
const decoded = (blob) => createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });

function fittedSize({ width, height }, longest) {
  const scale = Math.min(1, longest / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

// RGBA of a picture at a size, each pixel from its nearest unless `smooth`.
function pixelsOf(bitmap, { width, height }, smooth) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingEnabled = smooth;
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data;
}

// ITU-R BT.601 luma in whole numbers, as the server's.
const lumaAt = (pixels, at) => Math.floor((299 * pixels[at] + 587 * pixels[at + 1] + 114 * pixels[at + 2] + 500) / 1000);

function download(bytes, name) {
  const address = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

const pictureAmong = (files) => [...files].find((file) => file.type.startsWith("image/"));

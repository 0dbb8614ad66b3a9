// PNG files written from the layer itself: browsers that blur what a page reads back from a canvas cannot touch them.
// PNG specification, third edition (W3C 2025): chunks, CRC-32, zlib stream of rows with filter 0.

const COLOUR_TYPES = { 1: 0, 3: 2, 4: 6 };
const BLOCK_BYTES = 2 ** 22;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1;
  return rest;
});

function checksum(bytes) {
  let rest = 0xffffffff;
  for (const byte of bytes) rest = CRC_TABLE[(rest ^ byte) & 0xff] ^ (rest >>> 8);
  return ~rest >>> 0;
}

function chunk(name, content) {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set([...name].map((letter) => letter.charCodeAt(0)), 4);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, checksum(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

function header(width, height, channels) {
  const bytes = new Uint8Array(13);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  bytes.set([8, COLOUR_TYPES[channels]], 8);
  return bytes;
}

// `writeRow(y, bytes)` fills in the pixels of a row. Rows are asked for in blocks, so that a mask of 50 megapixels
// never lies in memory as a whole, and a drawing of a usual size is read at one moment.
async function encodePng(width, height, channels, writeRow) {
  const compressor = new CompressionStream("deflate");
  const compressed = new Response(compressor.readable).arrayBuffer();
  const writer = compressor.writable.getWriter();
  const stride = 1 + width * channels;
  const rows = Math.max(1, Math.floor(BLOCK_BYTES / stride));
  for (let top = 0; top < height; top += rows) {
    const count = Math.min(rows, height - top);
    const block = new Uint8Array(count * stride);
    for (let y = 0; y < count; y += 1) writeRow(top + y, block.subarray(y * stride + 1, (y + 1) * stride));
    await writer.write(block);
  }
  await writer.close();
  const signature = new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]);
  const chunks = [
    chunk("IHDR", header(width, height, channels)),
    chunk("IDAT", new Uint8Array(await compressed)),
    chunk("IEND", new Uint8Array(0)),
  ];
  return new Uint8Array(await new Blob([signature, ...chunks]).arrayBuffer());
}

// Sends the drawing to the server: soon after a change, one at a time, never an older one after a newer.

const QUIET_MS = 120;
const LONGEST_WAIT_MS = 250;

const sameBytes = (one, other) => one.length === other.length && one.every((byte, index) => byte === other[index]);

// `encode()` gives the PNG of the drawing as it is, `send(png)` uploads it, `publish(path)` tells Python, `busy(is)`
// whether Python does not know all of it yet.
// A change waits for a moment of quiet, but no longer than LONGEST_WAIT_MS, so that results come during a stroke.
function createExchange({ encode, send, publish, fail, busy: tell }) {
  let timer = null;
  let busy = false;
  let waitingSince = null;
  let sent = new Uint8Array(0);
  let published = null;
  let era = 0;

  async function deliver() {
    const begun = era;
    const png = await encode();
    if (sameBytes(png, sent)) return;
    const path = await send(png);
    if (era !== begun) return;
    sent = png;
    published = path;
    publish(path);
  }

  async function run() {
    timer = null;
    if (busy) return;
    busy = true;
    waitingSince = null;
    try {
      await deliver();
    } catch (error) {
      fail(error);
    }
    busy = false;
    if (waitingSince !== null) plan();
    else tell(false);
  }

  function plan() {
    if (busy) return;
    clearTimeout(timer);
    const longest = waitingSince + LONGEST_WAIT_MS - performance.now();
    timer = setTimeout(run, Math.max(0, Math.min(QUIET_MS, longest)));
  }

  return {
    changed() {
      tell(true);
      waitingSince ??= performance.now();
      plan();
    },
    published: () => published,
    // Python set another drawing: nothing of before is told any more, and the next drawing is news even where it equals
    // the last one.
    forget() {
      era += 1;
      sent = new Uint8Array(0);
      published = null;
      clearTimeout(timer);
      waitingSince = null;
      if (!busy) tell(false);
    },
  };
}

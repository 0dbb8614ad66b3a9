// The walk from seed to seed: a leg of pictures comes as one strip, the next one while it is shown.
const STEPS = 24, FRAME_MS = 50;
let walking = 0; // the number of the walk that is under way; 0: none

const rest = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

function leg(seed, from) {
  const steps = Array.from({ length: STEPS }, (_, step) => step / STEPS).filter((share) => share >= from);
  const points = steps.map((share) => pointAt({ seed, toward: seed + 1, share }));
  const strip = ask("strip", prior.name, { points }).then((answer) => decoded(answer.strip));
  strip.catch(() => {}); // told of where it is waited for
  return { seed, steps, strip };
}

async function walk({ draw, ended }) {
  const mine = ++walk.count;
  walking = mine;
  const start = place.toward === place.seed + 1 ? place.share : 0;
  let next = leg(place.seed, start);
  try {
    while (walking === mine) {
      const now = next, image = await now.strip;
      if (walking !== mine) break;
      next = leg(now.seed + 1, 0);
      for (const [index, share] of now.steps.entries()) {
        if (walking !== mine) break;
        place = { ...place, seed: now.seed, toward: share ? now.seed + 1 : null, share };
        draw(image, index);
        await rest(FRAME_MS);
      }
    }
  } catch (error) {
    say(error.message);
  }
  if (walking === mine) walking = 0;
  ended();
}
walk.count = 0;

// The walk from seed to seed: a leg of pictures comes as one strip, the next one while it is shown.
const FRAME_MS = 50;
let walking = 0; // the number of the walk that is under way; 0: none

const rest = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

function leg(seed, from) {
  const point = pointAt({ seed, toward: null, share: 0 });
  const pictures = ask("leg", prior.name, { point }).then(async ({ strip, shares }) => {
    const steps = shares.map((share, index) => ({ share, index })).filter(({ share }) => share >= from);
    return { image: await decoded(strip), steps };
  });
  pictures.catch(() => {}); // told of where it is waited for
  return { seed, pictures };
}

async function walk({ draw, ended }) {
  const mine = ++walk.count;
  walking = mine;
  const start = place.toward === place.seed + 1 ? place.share : 0;
  let next = leg(place.seed, start);
  try {
    while (walking === mine) {
      const { seed } = next, { image, steps } = await next.pictures;
      if (walking !== mine) break;
      next = leg(seed + 1, 0);
      for (const { share, index } of steps) {
        if (walking !== mine) break;
        place = { ...place, seed, toward: share ? seed + 1 : null, share };
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

// Where in the latent space the page is, and how that is told: to the server, in the address, to people.
const DIRECTIONS = 8, MOST_SHIFT = 3, GOOD = 0.7, SEEDS = 100000;

const fresh = () => ({
  truncation: GOOD, toward: null, share: 0, mixed: null, taken: 0, shifts: Array(DIRECTIONS).fill(0), layers: "all",
});
let prior = props.priors[0];
let layers = 0; // of the prior, once it has told
let place = { seed: 0, ...fresh() };

const randomSeed = () => Math.floor(Math.random() * SEEDS);

// A place as the server's point; `changes` are of the place. What takes layers waits until they are known.
function pointAt(changes = {}) {
  const at = { ...place, ...changes };
  const point = { seed: at.seed, truncation: at.truncation, shifts: at.shifts };
  if (layers > 1) point.layers = at.layers;
  if (at.toward !== null) Object.assign(point, { toward: at.toward, share: at.share });
  if (at.mixed !== null && layers) Object.assign(point, { mixed: at.mixed, crossing: layers - Math.min(at.taken, layers) });
  return point;
}

function addressOfPlace() {
  const told = new URLSearchParams({ prior: prior.name, seed: place.seed });
  const start = fresh();
  if (place.truncation !== start.truncation) told.set("truncation", place.truncation);
  if (place.toward !== null) { told.set("toward", place.toward); told.set("share", place.share.toFixed(5)); }
  if (place.mixed !== null) { told.set("mixed", place.mixed); told.set("taken", place.taken); }
  if (place.shifts.some(Boolean)) told.set("shifts", place.shifts.join(" "));
  if (place.layers !== start.layers) told.set("layers", place.layers);
  return `${location.pathname}${location.search}#${told}`; // whole: what is relative begins at the site's root
}

// What an address says, as far as it can be understood; the rest is as at the start.
function placeOfAddress(hash) {
  const told = new URLSearchParams(hash.slice(1));
  const within = (name, least, most, otherwise) => {
    const value = told.get(name) === null ? NaN : Number(told.get(name));
    return value >= least && value <= most ? value : otherwise;
  };
  const seedOf = (name, otherwise) => {
    const value = within(name, 0, Number.MAX_SAFE_INTEGER, otherwise);
    return Number.isInteger(value) ? value : otherwise;
  };
  const found = { seed: seedOf("seed", 0), ...fresh() };
  found.truncation = within("truncation", 0, 1, found.truncation);
  found.toward = seedOf("toward", null);
  found.share = found.toward === null ? 0 : within("share", 0, 1, 0);
  found.mixed = seedOf("mixed", null);
  found.taken = Math.round(within("taken", 0, 100, 0));
  const shifts = (told.get("shifts") ?? "").split(" ").map(Number);
  found.shifts = found.shifts.map((_, index) => (Math.abs(shifts[index]) <= MOST_SHIFT ? shifts[index] : 0));
  if (["coarse", "middle", "fine"].includes(told.get("layers"))) found.layers = told.get("layers");
  return { prior: props.priors.find((each) => each.name === told.get("prior")) ?? props.priors[0], place: found };
}

function nameOfPlace() {
  const where = place.toward === null ? `Seed ${place.seed}`
    : `Between seed ${place.seed} and ${place.toward}, ${Math.round(100 * place.share)} %`;
  const added = [];
  if (place.shifts.some(Boolean)) added.push("moved");
  if (place.mixed !== null && place.taken > 0) added.push(`mixed with seed ${place.mixed}`);
  return [where, ...added].join(", ");
}

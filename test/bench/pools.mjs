/** Warm pools side by side: this library's and the Go peer's, each with slots that come back and with slots that don't. */
import { goPoolContender } from './contenders/go-pool.mjs';
import { poolContender } from './contenders/pool.mjs';
import { atLeast } from './report.mjs';
import { compare, runAll } from './rounds.mjs';
import { median, percentile } from './stats.mjs';

const RECYCLED = 'vulcan-net, recycled';
const DESTROYED = 'vulcan-net, destroyed';
const GO_RECYCLED = 'Go pool, recycled';
const GO_DESTROYED = 'Go pool, destroyed';

const ours = (name, short, octet, pool) =>
  poolContender(name, {
    ...{ network: `bench-${short}`, bridge: `${short}br0`, subnet: `10.${octet}.0.0/16`, pool },
  });

const openAll = async (size) => [
  await ours(RECYCLED, 'back', 195, { min: size, max: 2 * size, recycle: true, restMs: 0 }),
  await goPoolContender(GO_RECYCLED, { short: 'goback', octet: 196, size, recycle: true }),
  await ours(DESTROYED, 'gone', 197, { min: size, max: 2 * size, recycle: false }),
  await goPoolContender(GO_DESTROYED, { short: 'gogone', octet: 198, size, recycle: false }),
];

async function ourBurst(contender, count, prefix) {
  const ids = Array.from({ length: count }, (_, vm) => `${prefix}-${vm}`);
  await contender.prepare();
  const { wallMs } = await runAll(ids, count, (id) => contender.setup(id));
  await runAll(ids, 1, (id) => contender.teardown(id));
  return wallMs;
}

/** As many at once as the pool has slots, in turns: milliseconds until all are done. */
async function measureBursts(size, rounds) {
  const own = await ours(RECYCLED, 'most', 199, { min: size, max: size, recycle: true, restMs: 0 });
  const go = await goPoolContender(GO_RECYCLED, { short: 'gomost', octet: 200, size, recycle: true });
  const walls = new Map([own, go].map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const turns = [
      async () => walls.get(RECYCLED).push(await ourBurst(own, size, `most-${round}`)),
      async () => walls.get(GO_RECYCLED).push(await go.burst(size, `most-${round}`)),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
  }
  for (const contender of [own, go]) await contender.close();
  return walls;
}

const figures = (samples) => ({ p50Ms: percentile(samples, 50), p99Ms: percentile(samples, 99) });

/** The Go peer's, as `measureCycles` has ours. Its callers wait for a slot: none of its set-ups is cold. */
async function goCycles(short, octet, { live, seconds, callers, recycle }) {
  const contender = await goPoolContender(short, { short, octet, size: 2 * live, recycle });
  const { setups, teardowns } = await contender.churn(live, callers, seconds);
  await contender.close();
  return {
    ...{ cycles: setups.length, perSecond: setups.length / seconds, callers },
    ...{ setup: figures(setups), teardown: figures(teardowns) },
    ...{ recycled: recycle ? teardowns.length : 0, coldSetups: 0 },
  };
}

/** Every row on which the Go pool is to be beaten. @param {object} cycles ours, recycled and destroyed */
function targetsOf(rows, cycles, theirs, walls, burst) {
  const of = (name, verb, rank) => percentile(rows.get(name)[verb].flat(), rank);
  const ratio = (what, go, own) => atLeast(`${what}: Go pool / ours`, go / own, 1);
  const pairs = [
    ['recycled', RECYCLED, GO_RECYCLED],
    ['destroyed', DESTROYED, GO_DESTROYED],
  ];
  return [
    ...pairs.flatMap(([how, own, go]) => [
      ratio(`warm setup p50, ${how}`, of(go, 'setup', 50), of(own, 'setup', 50)),
      ratio(`warm setup p99, ${how}`, of(go, 'setup', 99), of(own, 'setup', 99)),
      ratio(`teardown p50, ${how}`, of(go, 'teardown', 50), of(own, 'teardown', 50)),
      atLeast(`cycles a second, ${how}: ours / Go pool`, cycles[how].perSecond / theirs[how].perSecond, 1),
      ratio(`setup p99 of cycles, ${how}`, theirs[how].setup.p99Ms, cycles[how].setup.p99Ms),
    ]),
    ratio(`${burst} set-ups at once`, median(walls.get(GO_RECYCLED)), median(walls.get(RECYCLED))),
  ];
}

/** @param {object} cycles what `measureCycles` found of ours: the Go peer does the same work beside */
export async function measurePools(cycles, { rounds, vms, live, seconds, callers, burst, bursts }) {
  const contenders = await openAll(vms);
  const rows = await compare(contenders, { rounds, vms, label: 'pools' });
  for (const contender of contenders) await contender.close();
  const work = { live, seconds, callers };
  const theirs = {
    recycled: await goCycles('gochurn', 201, { ...work, recycle: true }),
    destroyed: await goCycles('gokill', 202, { ...work, recycle: false }),
  };
  const walls = await measureBursts(burst, bursts);
  const bursting = [...walls].map(([contender, wallMs]) => ({
    ...{ contender, 'median ms': median(wallMs), 'longest ms': Math.max(...wallMs), rounds: wallMs.length },
  }));
  const longestBurstMs = Math.max(...walls.get(RECYCLED));
  return {
    rows,
    cycles: theirs,
    bursting,
    longestBurstMs,
    targets: targetsOf(rows, cycles, theirs, walls, burst),
  };
}

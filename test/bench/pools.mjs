/** Warm pools side by side: this library's and the Go peer's, each with slots that come back and with slots that don't. */
import { goPoolContender } from './contenders/go-pool.mjs';
import { poolContender } from './contenders/pool.mjs';
import { atLeast, atMost } from './report.mjs';
import { compare, runAll } from './rounds.mjs';
import { median, percentile } from './stats.mjs';
import { churnInProcess, measureSustained } from './sustained.mjs';

const RECYCLED = 'vulcan-net, recycled';
const DESTROYED = 'vulcan-net, destroyed';
const GO_RECYCLED = 'Go pool, recycled';
const GO_DESTROYED = 'Go pool, destroyed';

async function ours(name, short, octet, pool) {
  const subnet = `10.${octet}.0.0/20`;
  const contender = await poolContender(name, {
    ...{ network: `bench-${short}`, bridge: `${short}br0`, subnet, pool },
  });
  return {
    ...contender,
    async burst(count, prefix) {
      const ids = Array.from({ length: count }, (_, vm) => `${prefix}-${vm}`);
      await contender.prepare();
      const { wallMs } = await runAll(ids, count, (id) => contender.setup(id));
      for (const id of ids) await contender.teardown(id);
      return wallMs;
    },
    churn: (count, forMs, prefix) => churnInProcess(contender, count, forMs, prefix),
  };
}

const openAll = async (size) => [
  await ours(RECYCLED, 'back', 195, { min: size, max: 2 * size, recycle: true, restMs: 0 }),
  await goPoolContender(GO_RECYCLED, { short: 'goback', octet: 196, size, recycle: true }),
  await ours(DESTROYED, 'gone', 197, { min: size, max: 2 * size, recycle: false }),
  await goPoolContender(GO_DESTROYED, { short: 'gogone', octet: 198, size, recycle: false }),
];

/** As many at once as the pool has slots, in turns. */
async function measureBursts(size, { rounds }) {
  const contenders = [
    await ours(RECYCLED, 'most', 199, { min: size, max: size, recycle: true, restMs: 0 }),
    await goPoolContender(GO_RECYCLED, { short: 'gomost', octet: 200, size, recycle: true }),
  ];
  const walls = new Map(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const contender of round % 2 === 0 ? contenders : [...contenders].reverse()) {
      walls.get(contender.name).push(await contender.burst(size, `burst-${round}`));
    }
  }
  for (const contender of contenders) await contender.close();
  return walls;
}

function targetsOf(rows, sustained, walls, burst) {
  const p = (name, verb, rank) => percentile(rows.get(name)[verb].flat(), rank);
  const churn = (name) => sustained.find(({ contender }) => contender === name);
  const pairs = [
    ['recycled', RECYCLED, GO_RECYCLED],
    ['destroyed', DESTROYED, GO_DESTROYED],
  ];
  const cycles = 'cycles a second';
  return [
    atMost('teardown to the pool p50, ms', p(RECYCLED, 'teardown', 50), 0.15),
    atLeast('sustained churn, cycles a second, recycled', churn(RECYCLED)[cycles], 3000),
    atLeast('sustained churn, cycles a second, every slot destroyed', churn(DESTROYED)[cycles], 400),
    atMost('sustained churn, setup p99, ms, recycled', churn(RECYCLED)['setup p99 ms'], 2),
    ...pairs.flatMap(([how, own, go]) => [
      atLeast(`warm setup p50, ${how}: Go pool / ours`, p(go, 'setup', 50) / p(own, 'setup', 50), 1),
      atLeast(`warm setup p99, ${how}: Go pool / ours`, p(go, 'setup', 99) / p(own, 'setup', 99), 1),
      atLeast(`teardown p50, ${how}: Go pool / ours`, p(go, 'teardown', 50) / p(own, 'teardown', 50), 1),
      atLeast(`cycles a second, ${how}: ours / Go pool`, churn(own)[cycles] / churn(go)[cycles], 1),
      atLeast(
        `churn setup p99, ${how}: Go pool / ours`,
        churn(go)['setup p99 ms'] / churn(own)['setup p99 ms'],
        1,
      ),
    ]),
    atLeast(
      `${burst} set-ups at once: Go pool / ours`,
      median(walls.get(GO_RECYCLED)) / median(walls.get(RECYCLED)),
      1,
    ),
  ];
}

/** @returns rows of rounds, tables by their titles, and targets */
export async function measurePools({ rounds, vms, live, forMs, burst, bursts }) {
  const contenders = await openAll(vms);
  const rows = await compare(contenders, { rounds, vms, label: 'pools' });
  const sustained = await measureSustained(contenders, { live, forMs });
  for (const contender of contenders) await contender.close();
  const walls = await measureBursts(burst, { rounds: bursts });
  const tables = {
    [`${live} live, each torn down and set up again without rest, ${forMs / 1000} s`]: sustained,
    [`${burst} set-ups at once, pool of ${burst}, ms until all are done`]: [...walls].map(
      ([contender, wallMs]) => ({
        ...{ contender, 'median ms': median(wallMs), 'longest ms': Math.max(...wallMs) },
        rounds: wallMs.length,
      }),
    ),
  };
  return { rows, tables, targets: targetsOf(rows, sustained, walls, burst) };
}

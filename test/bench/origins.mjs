/** Where a set-up gets its network: from a pool, by its own work, or by the chain. */
import { join } from 'node:path';
import { cnitoolContender } from './contenders/cnitool.mjs';
import { managerContender } from './contenders/manager.mjs';
import { poolContender } from './contenders/pool.mjs';
import { compare } from './rounds.mjs';
import { medianRatio, percentile } from './stats.mjs';

const WARM = 'vulcan-net, warm';
const COLD = 'vulcan-net, cold';
const CHAIN = 'chain (cnitool)';

export const network = (short, octet) => ({
  network: `bench-${short}`,
  bridge: `${short}br0`,
  subnet: `10.${octet}.0.0/16`,
});

/** @param {{ rounds: number, vms: number, when?: string }} run `when`: what is said of each contender besides its name */
export async function compareOrigins({ cnitool, pluginDirs, workDir }, { rounds, vms, when = '' }) {
  const pool = { min: vms, max: 2 * vms };
  const warm = await poolContender(`${WARM}${when}`, { ...network('warm', 181), pool });
  const cold = await managerContender(`${COLD}${when}`, network('cold', 182));
  const chain = await cnitoolContender(`${CHAIN}${when}`, {
    ...{ ...network('cchain', 183), cnitool, pluginDirs },
    workDir: join(workDir, 'cchain'),
  });
  const contenders = [warm, cold, chain];
  const rows = await compare(contenders, { rounds, vms, label: 'churn' });
  const coldSetups = rounds * vms - warm.warm();
  for (const contender of contenders) await contender.close();
  const samples = rows.get(warm.name).setup;
  return {
    ...{ rows, coldSetups, warmName: warm.name },
    p50Ms: percentile(samples.flat(), 50),
    p99Ms: percentile(samples.flat(), 99),
    chainRatio: medianRatio(rows.get(chain.name).setup, samples),
  };
}

import { expect, it } from 'vitest';
import { proveKills } from '../support/kills/kills.mjs';
import { resetLab } from '../support/lab.ts';
import { chooseSeed } from '../support/random.mjs';
import { describeWith } from '../support/require.ts';

/** 300 in all; `npm run proof -- kills` has 10,000. */
const cases = [
  { backend: 'native', kills: 250 },
  { backend: 'cni', kills: 50 },
] as const;
const seed = chooseSeed();

describeWith(['tun', 'debian-plugins'], `killed under load (VULCAN_SEED=${seed})`, () => {
  it.each(cases)('$kills times: the next process brings the host back: $backend', async (each) => {
    await resetLab();
    const { problems, ...counts } = await proveKills({ ...each, seed });
    expect(problems).toEqual([]);
    expect(counts.kills).toBe(each.kills);
    expect(counts.inFlight).toBeGreaterThan(each.kills);
    expect(counts.removed).toBeGreaterThan(0);
    expect(counts.adopted).toBeGreaterThan(each.kills);
  });
});

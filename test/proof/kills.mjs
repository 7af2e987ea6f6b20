/** 10,000 kills at random moments under load, on both backends. */
import { proveKills } from '../support/kills/kills.mjs';

const kills = { native: 8_000, cni: 2_000 };
const quickKills = { native: 100, cni: 20 };

/** @param {{ quick: boolean, seed: number, log: (line: string) => void }} options */
export async function prove({ quick, seed, log }) {
  const shown = [];
  for (const backend of /** @type {const} */ (['native', 'cni'])) {
    const wanted = (quick ? quickKills : kills)[backend];
    const { problems, ...counts } = await proveKills({ backend, kills: wanted, seed, log });
    if (problems.length > 0) throw new Error(problems.join('\n'));
    const { inFlight, removed, adopted, again } = counts;
    shown.push(
      `${backend}: ${counts.kills} kills with ${inFlight} operations in flight, ${removed} partial VMs removed, ` +
        `${adopted} found whole, ${again} gone on with`,
    );
  }
  return shown.join('; ');
}

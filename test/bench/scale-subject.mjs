import { untilGone } from './live.mjs';
import { runAll } from './rounds.mjs';

const LAST = 200;

/** The last set-ups of many, and `close`, as what is watched. @returns the subject of a profile */
export function manyVms(options, vms) {
  let manager = null;
  const ids = Array.from({ length: vms }, (_, vm) => `many-${vm}`);
  return {
    what: `vulcan-net, ${options.layout}: the last ${LAST} of ${vms} set-ups, one at a time, then close`,
    pid: process.pid,
    async prepare() {
      const { NetworkManager } = await import('../../dist/index.js');
      manager = await NetworkManager.open({ verify: 'off', ...options });
      await runAll(ids.slice(0, -LAST), 1, (id) => manager.setup(id));
    },
    async work() {
      await runAll(ids.slice(-LAST), 1, (id) => manager.setup(id));
      await manager.close();
    },
    finish: untilGone,
  };
}

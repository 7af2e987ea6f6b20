import { channel } from 'node:diagnostics_channel';
import { progress, progressDone } from '../progress.mjs';

const BAR_WIDTH = 30;
/** Where each is a line of its own, a few will do. */
const STEPS = 10;

/** Shows how many of the least number of slots are ready. */
async function withBar(name, work) {
  let shown = -1;
  const show = ({ ready, min }) => {
    const share = Math.min(1, ready / min);
    const step = Math.floor(share * (process.stderr.isTTY ? BAR_WIDTH : STEPS));
    if (step === shown) return;
    shown = step;
    progress(`${name}: ${'#'.repeat(share * BAR_WIDTH).padEnd(BAR_WIDTH, '.')} ${ready} slots of ${min}`);
  };
  const ready = channel('vulcan-net:pool:ready');
  ready.subscribe(show);
  try {
    await work();
  } finally {
    ready.unsubscribe(show);
    progressDone();
  }
}

/** `setup` from a pool that has at least as many slots as a round has VMs, and builds new ones once a row of callers pauses. */
export async function poolContender(name, options) {
  const { NetworkManager } = await import('../../../dist/index.js');
  const manager = await NetworkManager.open({ verify: 'off', ...options });
  const warm = () => manager.stats().latency.setup.warm.count;
  return {
    name,
    // The ports of slots never go, so there is nothing that could be waited for.
    bridge: null,
    warm,
    prepare: () => withBar(name, () => manager.warmUp()),
    setup: async (id) => void (await manager.setup(id)),
    teardown: async (id) => void (await manager.teardown(id)),
    finish: async () => {},
    close: () => manager.close(),
  };
}

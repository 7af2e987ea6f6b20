/** `setup` from a pool that has at least as many slots as a round has VMs, and builds new ones all the while. */
export async function poolContender(name, options) {
  const { NetworkManager } = await import('../../../dist/index.js');
  const manager = await NetworkManager.open({ verify: 'off', ...options });
  const warm = () => manager.stats().latency.setup.warm.count;
  return {
    name,
    // The ports of slots never go, so there is nothing that could be waited for.
    bridge: null,
    warm,
    prepare: () => manager.warmUp(),
    setup: async (id) => void (await manager.setup(id)),
    teardown: async (id) => void (await manager.teardown(id)),
    finish: async () => {},
    close: () => manager.close(),
  };
}

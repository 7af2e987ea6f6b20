/** `setup` and `teardown` from JavaScript: namespace, chain or netlink, record, firewall. */
export async function managerContender(name, options) {
  const { NetworkManager } = await import('../../../dist/index.js');
  const manager = await NetworkManager.open({ verify: 'off', ...options });
  return {
    name,
    bridge: options.bridge,
    pid: process.pid,
    prepare: async () => {},
    setup: async (id) => void (await manager.setup(id)),
    teardown: async (id) => void (await manager.teardown(id)),
    finish: async () => {},
    close: () => manager.close(),
  };
}

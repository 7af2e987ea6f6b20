import { NetworkManager } from '../../../dist/index.js';

/** `setup` and `teardown` from JavaScript: namespace, chain or netlink, record, firewall. */
export async function managerContender(name, options) {
  const manager = await NetworkManager.open({ verify: 'off', ...options });
  return {
    name,
    prepare: async () => {},
    setup: async (id) => void (await manager.setup(id)),
    teardown: (id) => manager.teardown(id),
    finish: async () => {},
    close: async () => {
      await manager.close();
      await manager.removeNetwork?.();
    },
  };
}

/** What tests ask of a manager in whatever process, as plain data: each resolves with what JSON can say. */

/** @typedef {import('../../lib/network-manager.ts').NetworkManager} NetworkManager */

export const managerVerbs = {
  /** The guest's address. @param {NetworkManager} manager @param {string} vmId */
  setup: async (manager, vmId) => (await manager.setup(vmId)).guestIp,

  /** @param {NetworkManager} manager @param {string} vmId */
  teardown: async (manager, vmId) => {
    await manager.teardown(vmId);
    return null;
  },

  /** What differs. @param {NetworkManager} manager @param {string} vmId */
  check: async (manager, vmId) => (await manager.check(vmId)).differences.map(({ subject }) => subject),

  /** What could not be removed. @param {NetworkManager} manager @param {readonly string[]} keep */
  gc: async (manager, keep) => (await manager.gc({ keep })).failed.map(({ error }) => error.message),

  /** What differs still. @param {NetworkManager} manager */
  repair: async (manager) => {
    const { failed } = await manager.repair();
    return failed.map(({ vmId, subject, message, error }) => ({
      vmId,
      what: `${subject} ${message} ${error}`,
    }));
  },

  /** @param {NetworkManager} manager */
  list: async (manager) => {
    const listed = await manager.list();
    return listed
      .map(({ vmId, state, config }) => ({ vmId: `${vmId}`, state, ip: config?.guestIp ?? '' }))
      .sort((a, b) => a.vmId.localeCompare(b.vmId));
  },
};

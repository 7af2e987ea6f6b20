// Sets up and tears down by a manager of its own: its options as JSON, its prefix for VMs, rounds.
import { NetworkManager } from '../../../dist/index.js';
import { holdSome } from './hold-some.mjs';

const [options = '{}', prefix = '', rounds = '0'] = process.argv.slice(2);
const manager = await NetworkManager.open(JSON.parse(options));

await holdSome(
  Number(rounds),
  async (id) => (await manager.setup(`${prefix}${id}`)).guestIp,
  (id) => manager.teardown(`${prefix}${id}`),
);
await manager.close();

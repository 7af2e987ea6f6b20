// Opens a manager, says so, and sets up a VM when it is told to; prints what came of it, and lives until it is killed:
//   node setup-child.mjs OPTIONS_AS_JSON VM_ID [SETUP_OPTIONS_AS_JSON]
import { once } from 'node:events';
import process from 'node:process';
import { NetworkManager } from '../../dist/index.js';

const [options, vmId, setupOptions] = process.argv.slice(2);
const manager = await NetworkManager.open({
  ...JSON.parse(options ?? '{}'),
  shutdown: 'leave',
  verify: 'off',
});
console.log('open');
await once(process.stdin, 'data');
const outcome = await manager.setup(vmId ?? '', JSON.parse(setupOptions ?? '{}')).then(
  ({ guestIp }) => ({ guestIp }),
  ({ code, message }) => ({ code, message }),
);
console.log(JSON.stringify(outcome));

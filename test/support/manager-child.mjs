// Opens a manager, asks it for one verb, and prints what it was refused with; for tests that change what the whole
// process may do:
//   node manager-child.mjs OPTIONS_AS_JSON VERB [VM_ID]
import process from 'node:process';
import { NetworkManager } from '../../dist/index.js';

const [options, verb, vmId] = process.argv.slice(2);

async function work() {
  const manager = await NetworkManager.open({ ...JSON.parse(options ?? '{}'), shutdown: 'leave' });
  if (verb === 'open') return;
  // From here on as nobody: without capabilities, and without files that are root's.
  process.seteuid?.(65_534);
  await (verb === 'setup' ? manager.setup(vmId ?? '') : manager.teardown(vmId ?? ''));
}

const refusal = await work().then(
  () => null,
  (error) => ({ name: error.name, code: error.code, message: error.message, step: error.step ?? null }),
);
console.log(JSON.stringify(refusal));

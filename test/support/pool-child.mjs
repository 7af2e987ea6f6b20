// Opens a manager with a pool and says "ready" when it is warm; sets up the VMs that are named, says so, and lives on:
//   node pool-child.mjs OPTIONS_AS_JSON [VM_ID...]
import { writeSync } from 'node:fs';
import process from 'node:process';
import { NetworkManager } from '../../dist/index.js';

const [options, ...vmIds] = process.argv.slice(2);
const manager = await NetworkManager.open({ verify: 'off', ...JSON.parse(options ?? '{}') });
await manager.warmUp();
writeSync(1, 'ready\n');
for (const vmId of vmIds) {
  const { origin } = await manager.setup(vmId);
  writeSync(1, `${vmId} is ${origin}\n`);
}
process.stdin.resume();

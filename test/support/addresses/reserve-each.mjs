// Reserves one after another: addon, plan, how many; prints the addresses as JSON. Leaves a mark in a trace before each.
import { accessSync } from 'node:fs';
import { createRequire } from 'node:module';

const [addon = '', plan = '{}', count = '1'] = process.argv.slice(2);
const native = createRequire(import.meta.url)(addon);
const ips = [];
for (let i = 0; i < Number(count); i++) {
  try {
    accessSync('/mark');
  } catch {
    // There is none; the attempt is the mark.
  }
  ips.push((await native.addressReserve(JSON.parse(plan)))[0].ip);
}
process.stdout.write(JSON.stringify(ips));

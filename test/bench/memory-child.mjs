/** Sets up and tears down as often as asked, and prints what was resident on the way. */
import { managerContender } from './contenders/manager.mjs';
import { settle } from './settle.mjs';

const SAMPLES = 100;

const { cycles, options } = JSON.parse(process.argv[2]);
const ours = await managerContender('memory', options);
const samples = [];
for (let cycle = 1; cycle <= cycles; cycle++) {
  await ours.setup(`memory-${cycle}`);
  await ours.teardown(`memory-${cycle}`);
  if (cycle % Math.ceil(cycles / SAMPLES) !== 0) continue;
  await settle(ours.bridge);
  globalThis.gc();
  samples.push({ cycles: cycle, residentBytes: process.memoryUsage.rss() });
}
await ours.close();
process.stdout.write(JSON.stringify(samples));

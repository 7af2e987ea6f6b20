/** Destroying a namespace returns long before the kernel has cleaned up; what follows must not be measured with it. */
import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const GRACE_MS = 150;
const POLL_MS = 20;

const portsOf = (bridge) => readdir(`/sys/class/net/${bridge}/brif`).catch(() => []);

/** Waits until the bridge has no port left (`null`: it always has), and a moment for the rest of its namespaces. */
export async function settle(bridge, timeoutMs = 60_000) {
  const deadline = performance.now() + timeoutMs;
  while (bridge !== null && (await portsOf(bridge)).length > 0) {
    if (performance.now() > deadline) throw new Error(`${bridge} still has ports after ${timeoutMs} ms`);
    await sleep(POLL_MS);
  }
  await sleep(GRACE_MS);
}

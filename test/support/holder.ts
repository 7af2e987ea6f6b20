import { readlink } from 'node:fs/promises';
import { until } from './lab.ts';
import { run } from './run.ts';

/** A process that does nothing but run in the namespace, which it is in by now. */
export async function holdNamespace(name: string): Promise<AsyncDisposable> {
  const inside = `ip netns exec ${name} sleep 600 >/dev/null 2>&1 & echo $!`;
  const pid = (await run('sh', ['-c', inside])).trim();
  const own = await readlink('/proc/self/ns/net');
  await until('the holder', async () => (await readlink(`/proc/${pid}/ns/net`)) !== own);
  return { [Symbol.asyncDispose]: async () => void (await run('kill', [pid])) };
}

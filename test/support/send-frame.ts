import { fileURLToPath } from 'node:url';
import type { NetworkConfig } from '../../lib/types.ts';
import { run, runIn } from './run.ts';

const file = '/run/send-frame';
const source = fileURLToPath(new URL('guest/send-frame.c', import.meta.url));

export async function buildSendFrame(): Promise<void> {
  await run('cc', ['-O2', '-Wall', '-Werror', '-o', file, source]);
}

/** As its guest would send them. */
export async function sendFrames(
  { netnsPath, ifName }: NetworkConfig,
  frames: readonly Buffer[],
): Promise<void> {
  for (const frame of frames) await runIn(netnsPath, file, ifName, frame.toString('hex'));
}

import type { NetworkConfig } from '../../lib/types.ts';
import { runIn } from './run.ts';

/** The VM's namespace in place of its guest: what its link receives comes to its own stack, instead of the TAP. */
export async function standIn({ netnsPath, ifName }: NetworkConfig): Promise<string> {
  await runIn(netnsPath, 'tc', 'qdisc', 'delete', 'dev', ifName, 'ingress');
  return netnsPath;
}

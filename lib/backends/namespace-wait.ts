import { setTimeout as sleep } from 'node:timers/promises';
import { NetworkError } from '../errors.ts';
import type { NativeBinding } from '../native/binding.ts';
import type { NamespaceHolder } from '../native/host.ts';
import type { Scope } from '../operation.ts';
import { atStep } from './kernel-error.ts';

/** Between two looks at the processes of the host. */
const pauseMs = 20;

interface NamespaceId {
  readonly inode: number;
  readonly device: number;
}

function describe({ pid, command, via }: NamespaceHolder): string {
  const how = { member: 'runs in it', fd: 'has it open', mount: 'sees it mounted' } as const;
  return `${command} (pid ${pid}) ${how[via]}`;
}

/** Rejects with ERR_NETNS_BUSY, and the names of those who hold the namespace, when the time is nearly over. */
export async function waitUntilFree(
  binding: Pick<NativeBinding, 'namespaceHolders'>,
  vmId: string,
  { inode, device }: NamespaceId,
  scope: Scope,
): Promise<void> {
  scope.step = 'wait';
  for (;;) {
    const holders = await atStep('wait', () => binding.namespaceHolders({ inode, device }));
    if (holders.length === 0) return;
    if (scope.remainingMs <= 2 * pauseMs) {
      const message = `${vmId} is off the network, but its namespace is still held: ${holders.map(describe).join(', ')}`;
      throw new NetworkError('ERR_NETNS_BUSY', message, { vmId, step: 'wait' });
    }
    await sleep(pauseMs);
  }
}

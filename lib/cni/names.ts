import { NetworkError } from '../errors.ts';
import type { AttachmentKey } from './types.ts';

/** The rules that CNI has for names, checked before any plugin runs. */

const validName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const maxLinkNameBytes = 15;
const maxFileNameBytes = 255;

export function isValidName(name: string): boolean {
  return validName.test(name);
}

export function assertContainerId(containerId: string): void {
  if (isValidName(containerId)) return;
  const problem =
    containerId === '' ? 'missing containerId' : `invalid characters in containerId "${containerId}"`;
  throw new NetworkError('ERR_OPTION_INVALID', `${problem}; it must match ${validName.source}`);
}

/** The kernel's rules; white space is what Unicode calls so, as CNI plugins see it. */
export function assertIfName(ifName: string): void {
  const problem =
    ifName === ''
      ? 'is empty'
      : Buffer.byteLength(ifName) > maxLinkNameBytes
        ? `is longer than ${maxLinkNameBytes} bytes`
        : ifName === '.' || ifName === '..'
          ? 'is . or ..'
          : /[/:\0\p{White_Space}]/u.test(ifName)
            ? 'contains "/", ":" or white space'
            : null;
  if (problem !== null)
    throw new NetworkError('ERR_LINK_NAME_INVALID', `interface name "${ifName}" ${problem}`);
}

/** libcni's rule. It is ambiguous: "a-b" with "c" and "a" with "b-c" give the same name. */
export function recordName({ network, containerId, ifName }: AttachmentKey): string {
  const name = `${network}-${containerId}-${ifName}`;
  if (Buffer.byteLength(name) <= maxFileNameBytes) return name;
  throw new NetworkError(
    'ERR_OPTION_INVALID',
    `network, containerId and ifName together are too long to name a record: ${Buffer.byteLength(name)} bytes of ${maxFileNameBytes}`,
  );
}

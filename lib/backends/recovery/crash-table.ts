import type { BackendName } from '../../types.ts';

/**
 * What a process that is killed leaves of the VM that it was about, by the last step that it had done, and what becomes
 * of that when the network is opened again. It follows `native/engine/attach.cc`, `native/engine/detach.cc`,
 * `native/engine/slot_return.cc`, `cni/attach.ts` and `attachment/detach.ts`: whoever changes the order of a step there
 * changes it here. `gc`, `teardown` and `setup` of the same VM find it in the same way. What is in the namespace goes with
 * it; a record that is not whole has no name.
 */

/**
 * `lock` is its file, which from its first step on says whose the attachment is, where that is not the VM's own id; `link` the
 * host's end, and with it all that is inside; `pooled` its address, a dead pool's.
 */
export type Piece = 'lock' | 'address' | 'guard' | 'anchor' | 'link' | 'record' | 'pooled';

export interface CrashRow {
  readonly backend: BackendName;
  readonly verb: 'setup' | 'teardown' | 'teardown to the pool';
  /** The last step that was done. */
  readonly instant: string;
  readonly leaves: readonly Piece[];
  /** Whether the link is off the network. */
  readonly cut: boolean;
  /** What `open` makes of it: `adopted` is whole by its anchor and record. */
  readonly becomes: 'removed' | 'adopted';
}

const row = (
  backend: BackendName,
  verb: CrashRow['verb'],
  instant: string,
  leaves: readonly Piece[],
  becomes: CrashRow['becomes'],
  cut = false,
): CrashRow => ({ backend, verb, instant, leaves, becomes, cut });

const toPool = 'teardown to the pool';

export const crashTable: readonly CrashRow[] = [
  row('native', 'setup', 'lock taken', ['lock'], 'removed'),
  row('native', 'setup', 'address reserved', ['lock', 'address'], 'removed'),
  row('native', 'setup', 'guarded', ['lock', 'address', 'guard'], 'removed'),
  row('native', 'setup', 'namespace claimed and named', ['lock', 'address', 'guard', 'anchor'], 'removed'),
  row('native', 'setup', 'wired', ['lock', 'address', 'guard', 'anchor', 'link'], 'removed'),
  row('native', 'setup', 'recorded', ['lock', 'address', 'guard', 'anchor', 'link', 'record'], 'adopted'),
  row('native', 'teardown', 'cut', ['lock', 'address', 'guard', 'anchor', 'link', 'record'], 'adopted', true),
  row(
    'native',
    'teardown',
    'no longer guarded',
    ['lock', 'address', 'anchor', 'link', 'record'],
    'adopted',
    true,
  ),
  row('native', 'teardown', 'namespace without its name', ['lock', 'address', 'record'], 'removed'),
  row('native', 'teardown', 'address released', ['lock', 'record'], 'removed'),
  row('native', 'teardown', 'record removed', ['lock'], 'removed'),
  row('native', toPool, 'cut', ['lock', 'address', 'guard', 'anchor', 'link', 'record'], 'adopted', true),
  row('native', toPool, 'namespace without its name', ['lock', 'address', 'guard', 'record'], 'removed'),
  row('native', toPool, "address the pool's", ['lock', 'pooled', 'guard', 'record'], 'removed'),
  row('native', toPool, 'record removed', ['lock', 'pooled', 'guard'], 'removed'),
  row('cni', 'setup', 'lock taken', ['lock'], 'removed'),
  row('cni', 'setup', 'namespace claimed and named', ['lock', 'anchor'], 'removed'),
  row('cni', 'setup', 'address reserved by a plugin', ['lock', 'anchor', 'address'], 'removed'),
  row('cni', 'setup', 'wired by the chain', ['lock', 'anchor', 'address', 'link'], 'removed'),
  row('cni', 'setup', 'guarded', ['lock', 'anchor', 'address', 'link', 'guard'], 'removed'),
  row('cni', 'setup', 'recorded', ['lock', 'address', 'guard', 'anchor', 'link', 'record'], 'adopted'),
  row('cni', 'teardown', 'cut', ['lock', 'address', 'guard', 'anchor', 'link', 'record'], 'adopted', true),
  row('cni', 'teardown', 'undone by the chain', ['lock', 'guard', 'anchor', 'record'], 'adopted'),
  row('cni', 'teardown', 'link deleted', ['lock', 'anchor', 'record'], 'adopted'),
  row('cni', 'teardown', 'record removed', ['lock', 'anchor'], 'removed'),
  row('cni', 'teardown', 'namespace without its name', ['lock'], 'removed'),
];

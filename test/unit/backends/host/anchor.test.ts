import { describe, expect, it } from 'vitest';
import { type AnchorBinding, Anchors } from '../../../../lib/backends/host/anchor.ts';
import type { AnchorState } from '../../../../lib/native/sys.ts';

const file: AnchorState = {
  ...{ kind: 'file', device: 1, inode: 2, claimed: true, container: null, ageMs: 0, isHost: false },
};

/** `null`: nobody is to ask. */
function anchorsIn(state: { readonly hostMountNamespace: boolean; readonly shared: boolean } | null) {
  const mountState = async () => {
    if (state === null) throw new Error('asked');
    return state;
  };
  return new Anchors({ mountState } as Partial<AnchorBinding> as AnchorBinding, '/run/netns');
}

describe('a plain file where a namespace should be', () => {
  it.each([
    [true, 'the mount namespace is the host’s', { hostMountNamespace: true, shared: false }],
    [false, 'the host’s mounts may be on another directory', { hostMountNamespace: false, shared: true }],
    [false, 'it may be a namespace on the host', { hostMountNamespace: false, shared: false }],
  ])('is nobody’s: %s, as %s', async (expected, _why, state) => {
    expect(await anchorsIn(state).isNobodys(file)).toBe(expected);
  });

  it('is somebody’s while whoever makes it may yet mount on it', async () => {
    const unclaimed = { ...file, claimed: false };
    expect(await anchorsIn(null).isNobodys({ ...unclaimed, ageMs: 1_999 })).toBe(false);
    const here = anchorsIn({ hostMountNamespace: true, shared: true });
    expect(await here.isNobodys({ ...unclaimed, ageMs: 2_000 })).toBe(true);
  });

  it('is what is told of no namespace', async () => {
    for (const kind of ['namespace', 'other', 'absent'] as const) {
      expect(await anchorsIn(null).isNobodys({ ...file, kind })).toBe(false);
    }
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { layerViolations } from '../../../scripts/support/layers.mjs';

describe('check-layers', () => {
  const roots: string[] = [];

  afterEach(() => {
    for (const root of roots.splice(0)) rmSync(root, { recursive: true });
  });

  function violationsOf(files: Record<string, string>): string[] {
    const root = mkdtempSync(join(tmpdir(), 'layers-'));
    roots.push(root);
    for (const [name, text] of Object.entries({ 'native/base/x.h': '', 'lib/types.ts': '', ...files })) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    return layerViolations(root);
  }

  it('holds for this tree', () => {
    expect(layerViolations(process.cwd())).toEqual([]);
  });

  it.each([
    [
      'downward, in C++',
      { 'native/engine/a.cc': '#include "netlink/b.h"\n#include "engine/c.h"\n#include <sys/socket.h>' },
    ],
    [
      'downward, in TypeScript',
      { 'lib/cni/a.ts': "import { b } from '../errors.ts';\nimport c from './c.ts';" },
    ],
    ['within a room', { 'lib/errors.ts': "import type { Operation } from './types.ts';" }],
  ])('accepts an import that goes %s', (_name, files) => {
    expect(violationsOf(files)).toEqual([]);
  });

  it.each([
    ['native/base/a.h', '#include "sys/b.h"', 'imports sys/b.h, upward'],
    ['native/netlink/a.cc', '  #  include "nft/b.h"', 'imports nft/b.h, sideways'],
    ['native/plugin/a.cc', '#include "addon/b.h"', 'imports addon/b.h, sideways'],
    ['native/engine/a.cc', '#include <napi.h>', 'may not know napi.h'],
    ['native/stray/a.cc', '', 'has no floor'],
    ['lib/errors.ts', "import { x } from './observe.ts';", 'imports observe.ts, upward'],
    ['lib/config/verbs.ts', "export type { X } from '../cni/chain.ts';", 'imports cni/chain.ts, upward'],
    ['lib/firewall.ts', "const x = await import('./cni/cache.ts');", 'imports cni/cache.ts, sideways'],
    ['lib/backends/cni.ts', "import '../network-manager.ts';", 'imports network-manager.ts, upward'],
    ['lib/address.ts', "import { z } from 'zod';", 'may not know zod'],
    ['lib/cni/exec.ts', "import { spawn } from 'node:child_process';", 'may not know node:child_process'],
    ['lib/stray.ts', '', 'has no floor'],
  ])('rejects %s with %s', (file, text, expected) => {
    expect(violationsOf({ [file]: text })).toEqual([`${file}: ${expected}`]);
  });
});

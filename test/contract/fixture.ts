import { afterEach, beforeEach } from 'vitest';
import { resolveConfig } from '../../lib/config/manager.ts';
import type { NativeBinding } from '../../lib/native/binding.ts';
import { bundledPluginDirectory } from '../../lib/native/load.ts';
import { NetworkManager } from '../../lib/network-manager.ts';
import type { NetworkManagerOptions } from '../../lib/options.ts';
import type { BackendName, Logger, NetworkLayout } from '../../lib/types.ts';
import { backends, layouts } from '../support/backends.ts';
import { resetLab } from '../support/lab.ts';
import { type Capability, describeWith } from '../support/require.ts';
import { debianPluginDir } from '../support/tools.mjs';

/** What was logged, by whichever manager of the test. */
export interface Logged {
  readonly level: keyof Logger;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** What builds attachments, and what stands between them. */
interface Way {
  readonly backend: BackendName;
  readonly layout?: NetworkLayout;
}

/** Managers of one backend in a lab that is empty when a test begins. */
export interface ContractLab {
  readonly backend: BackendName;
  readonly layout: NetworkLayout;
  /** Whether the links of VMs are ports of a bridge. */
  readonly isBridged: boolean;
  readonly logged: readonly Logged[];
  readonly stateDir: string;
  /**
   * Without `verify`, and with Debian's plugins, unless told otherwise; closed when the test ends. `binding`: instead of
   * the addon as it was built.
   */
  open(options?: NetworkManagerOptions, binding?: NativeBinding): Promise<NetworkManager>;
}

const needs: Readonly<Record<BackendName, readonly Capability[]>> = {
  cni: ['lab', 'tun', 'debian-plugins'],
  native: ['lab', 'tun'],
};

const stateDirs: Readonly<Record<BackendName, string>> = { cni: '/var/lib/cni', native: '/run/cni' };

function useLab({ backend, layout }: Way): ContractLab {
  let managers: NetworkManager[] = [];
  let logged: Logged[] = [];
  const log = (level: keyof Logger) => (fields: object, message: string) =>
    void logged.push({ level, message, fields: { ...fields } });
  const logger: Logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };

  beforeEach(async () => {
    logged = [];
    await resetLab();
  });
  afterEach(async () => {
    for (const manager of managers) await manager[Symbol.asyncDispose]();
    managers = [];
  });

  return {
    backend,
    layout: layout ?? 'bridge',
    isBridged: layout !== 'routed',
    stateDir: stateDirs[backend],
    get logged() {
      return logged;
    },
    async open(options = {}, binding) {
      const pluginDirs = [debianPluginDir];
      const all = { backend, layout, pluginDirs, verify: 'off', logger, ...options } as const;
      const manager = await (binding === undefined
        ? NetworkManager.open(all)
        : NetworkManager.openOn({ binding, bundledPluginDir: bundledPluginDirectory() }, resolveConfig(all)));
      managers.push(manager);
      return manager;
    },
  };
}

/** One whose stream is gone. */
export const throwingLogger: Logger = (() => {
  const method = () => {
    throw new Error('the stream is destroyed');
  };
  return { debug: method, info: method, warn: method, error: method };
})();

/** The same tests on every backend, or on those that are named. */
export function describeBackends(
  title: string,
  tests: (lab: ContractLab) => void,
  which: readonly BackendName[] = backends,
): void {
  for (const backend of which) {
    describeWith(needs[backend], `${title}, by ${backend}`, () => tests(useLab({ backend })));
  }
}

/** The same tests on every backend, and once more on every layout that is not one bridge. */
export function describeLayouts(title: string, tests: (lab: ContractLab) => void): void {
  describeBackends(title, tests);
  describeOtherLayouts(title, tests);
}

/** The same tests on every layout that is not one bridge. */
export function describeOtherLayouts(title: string, tests: (lab: ContractLab) => void): void {
  for (const layout of layouts) {
    describeWith(needs.native, `${title}, by native, ${layout}`, () =>
      tests(useLab({ backend: 'native', layout })),
    );
  }
}

import type { ChainOptions, ChainRunner, RunOptions } from '../cni/call.ts';
import { nativeFailure } from '../cni/native-failure.ts';
import type { NetworkError } from '../errors.ts';
import type { NativeBinding } from '../native/binding.ts';
import type { BridgePlan, FirewallNetwork } from '../native/engine.ts';
import type { BackendName } from '../types.ts';

export type VerifyBinding = ChainRunner &
  Pick<
    NativeBinding,
    | 'probe'
    | 'capabilities'
    | 'descriptorLimit'
    | 'sysctlRead'
    | 'dump'
    | 'mountState'
    | 'foreignChains'
    | 'legacyForeignChains'
    | 'firewallCheck'
    | 'guardCheck'
  >;

export interface VerifySubject {
  readonly binding: VerifyBinding;
  readonly backend: BackendName;
  /** The chain's plugins and their IPAM plugins. */
  readonly pluginTypes: readonly string[];
  /** The version that the chain's configuration asks for; empty means 0.1.0. */
  readonly cniVersion: string;
  /** How the chain finds and runs its plugins. */
  readonly chain: ChainOptions;
  /** What the chain's plugins say that are not ready; `null`: set-ups start none. */
  readonly status: ((options: RunOptions) => Promise<readonly NetworkError[]>) | null;
  readonly bundledPluginDir: string;
  readonly netnsDir: string;
  /** Of the network, which is prepared by the time that it is looked at. */
  readonly firewall: FirewallNetwork;
  /** All that there may be, the first in any case. */
  readonly bridges: readonly BridgePlan[];
  /** Subnets whose rest the host has a route to nowhere for. */
  readonly unreachable: readonly string[];
  /** Whether the host has a route to each VM, and of the subnet only the gateway's address. */
  readonly hostRoutes: boolean;
  /** What ports are guarded by; `null`: they are not. */
  readonly guard: 'bridge' | 'routed' | null;
  /** Whether slots of a pool are to be used again. */
  readonly recycles: boolean;
  /** How many slots all pools may have; each is a descriptor. */
  readonly mostSlots: number;
  readonly signal?: AbortSignal | undefined;
}

/** That it can't be told is not the same as a finding. */
export function looking<T>(look: Promise<T>): Promise<T> {
  return look.catch((error: Error) => {
    throw nativeFailure(error, { step: 'verify' });
  });
}

/** What looking is refused with for want of privilege, or of what there would be to look at. */
export const unreadable: ReadonlySet<string> = new Set(['EPERM', 'EACCES', 'EPROTONOSUPPORT', 'EOPNOTSUPP']);

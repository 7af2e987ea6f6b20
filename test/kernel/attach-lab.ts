import { mkdir } from 'node:fs/promises';
import type {
  AddressRequest,
  AttachInterface,
  AttachPlan,
  DetachPlan,
  ReservedAddress,
} from '../../lib/native/attachment.ts';
import { linkNames, netnsDir, resetLab, until } from '../support/lab.ts';
import { native } from '../support/native.ts';
import { ip, runIn } from '../support/run.ts';

/** Plans for `attach` and `detach`, as the manager would make them, and a lab in which they work. */

export const network = 'web';
export const bridge = 'fcbr0';
export const gateway = '10.168.0.1';
export const locksDir = '/run/cni/locks';
export const recordsDir = '/run/cni/results';
export const storeDir = `/run/cni/networks/${network}`;
/** BR_STATE_FORWARDING. */
export const forwarding = 3;
const locks = { directory: locksDir, network: `.network-${network}`, timeoutMs: 5_000 };

export const ipv4: AddressRequest = {
  set: 0,
  ranges: [{ start: '10.168.0.2', end: '10.168.0.254', gateway, prefixLength: 24 }],
  excluded: [],
};
export const ipv6: AddressRequest = {
  set: 1,
  ranges: [{ start: 'fd68::2', end: 'fd68::ffff', gateway: 'fd68::1', prefixLength: 64 }],
  excluded: [],
};

export const anchorOf = (vm: string): string => `${netnsDir}/vulcan-${vm}`;
export const recordOf = (vm: string): string => `${network}-${vm}-eth0`;
export const hostLinkOf = (vm: string): string => `vn${vm}`;
export const macOf = (vm: string): string => `06:00:00:00:00:${hexOf(vm)}`;
const hexOf = (vm: string): string =>
  (Number.parseInt(vm.replace(/\D/g, ''), 10) % 256).toString(16).padStart(2, '0');

/** What every VM of a network finds ready, and then nothing that was there before. */
export async function attachLab(): Promise<void> {
  await resetLab();
  // iproute2 makes the directory of names a shared mount.
  await ip('netns', 'add', 'first');
  await ip('netns', 'delete', 'first');
  for (const directory of [locksDir, recordsDir]) {
    await mkdir(directory, { recursive: true, mode: 0o755 });
  }
  await native.addressStoreMake({ directory: storeDir });
  await native.bridgeEnsure({
    ...{ name: bridge, mac: '02:fc:00:00:00:01', mtu: 1500, ipv6: false },
    addresses: [`${gateway}/24`],
  });
  await native.guardEnsure({});
}

/** The same after a first attach, which leaves behind what is kept for good: host-local's lock file, the network's lock. */
export async function usedLab(): Promise<void> {
  await attachLab();
  await detach('a0', await attach('a0'));
  await until('the link to go', async () => !(await linkNames()).includes(hostLinkOf('a0')));
}

export interface Change {
  readonly interface?: Partial<AttachInterface>;
  readonly requests?: readonly AddressRequest[];
  readonly plan?: Partial<AttachPlan>;
}

/** `vm`: a letter and a number. */
export function attachPlan(
  vm: string,
  { interface: change, requests = [ipv4], plan }: Change = {},
): AttachPlan {
  return {
    locks: { ...locks, vm },
    anchor: { directory: netnsDir, name: `vulcan-${vm}` },
    interfaces: [
      {
        bridge,
        port: { hairpin: false, isolated: false },
        hostLink: hostLinkOf(vm),
        alias: `vulcan-net ${network} ${vm} eth0`,
        hostMac: `02:00:00:00:00:${hexOf(vm)}`,
        name: 'eth0',
        mac: macOf(vm),
        mtu: 1500,
        tap: { name: 'tap0', uid: 54_321, gid: 54_322 },
        routes: [{ destination: '0.0.0.0/0', gateway }],
        guard: { addresses: [] },
        addresses: { directory: storeDir, owner: `${vm}\r\neth0`, requests },
        record: {
          directory: recordsDir,
          name: recordOf(vm),
          text: ['{"ips":["', ...requests.flatMap((_, index) => (index === 0 ? [0] : ['","', index])), '"]}'],
        },
        ...change,
      },
    ],
    ...plan,
  };
}

/** `null`: whatever addresses it has, which leaves its guard. */
export function detachPlan(vm: string, addresses: readonly ReservedAddress[] | null): DetachPlan {
  const ips = addresses?.map((address) => address.ip) ?? null;
  return {
    locks: { ...locks, vm },
    anchor: { directory: netnsDir, name: `vulcan-${vm}` },
    interfaces: [
      {
        hostLink: { name: hostLinkOf(vm), alias: `vulcan-net ${network} ${vm} eth0` },
        guard: ips && { link: hostLinkOf(vm), bindings: ips.map((each) => ({ mac: macOf(vm), ip: each })) },
        addresses: { directory: storeDir, owner: `${vm}\r\neth0`, ips },
        record: { directory: recordsDir, name: recordOf(vm) },
      },
    ],
  };
}

/** One VM; the addresses that it got. */
export async function attach(vm: string, change: Change = {}): Promise<readonly ReservedAddress[]> {
  const { interfaces } = await native.attach(attachPlan(vm, change));
  return interfaces[0]?.addresses ?? [];
}

export async function detach(vm: string, addresses: readonly ReservedAddress[]): Promise<void> {
  const { cut, errors } = await native.detach(detachPlan(vm, addresses));
  if (!cut || errors.length > 0) throw new AggregateError(errors, `${vm}: not detached`);
}

/** The kernel may tell the bridge of the link's carrier only after the attach. */
export const untilForwarding = (vm: string): Promise<void> =>
  until('the port', async () => {
    const { links } = await native.dump({ kinds: ['links'] });
    return links.find(({ name }) => name === hostLinkOf(vm))?.portState === forwarding;
  });

/** What a tool prints inside of the VM's namespace. */
export const inside = (vm: string, file: string, ...args: readonly string[]): Promise<string> =>
  runIn(anchorOf(vm), file, ...args);

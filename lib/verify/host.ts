import { isIP } from 'node:net';
import { mainRoutes, wayOut } from '../backends/host/ways-out.ts';
import { forwardingOf } from '../backends/network/forwarding.ts';
import { nativeFailure } from '../cni/native-failure.ts';
import type { NativeError } from '../native/error.ts';
import type { VerifyFinding } from '../types.ts';
import { finding } from './findings.ts';
import { looking, unreadable, type VerifySubject } from './subject.ts';

export async function verifyMounts({ binding, netnsDir }: VerifySubject): Promise<VerifyFinding[]> {
  const { hostMountNamespace, shared } = await looking(binding.mountState({ directory: netnsDir }));
  if (shared) return [];
  const what = hostMountNamespace
    ? `${netnsDir} is a private mount`
    : 'this process has a mount namespace of its own';
  const message = `${what}: names under ${netnsDir} may be invisible to VMMs outside`;
  const remedy = `run it without PrivateMounts, PrivateTmp and the like (systemd), or share ${netnsDir} with the VMMs (mount --make-shared; docker: rshared)`;
  return [finding('mount.private', message, remedy)];
}

/** Node raises the soft limit to the hard one by itself. */
export async function verifyDescriptors({ binding, mostSlots }: VerifySubject): Promise<VerifyFinding[]> {
  if (mostSlots === 0) return [];
  const { most, kept } = await looking(binding.descriptorLimit());
  if (mostSlots + kept <= most) return [];
  const message = `${mostSlots} slots of pools need a descriptor each, and this process may have ${most} open, of which ${kept} are not for slots`;
  return [
    finding('pool.descriptors', message, 'raise LimitNOFILE (systemd) or ulimit -n, or lower pool.max'),
  ];
}

/** The subnets of a network are those that host-local is given. */
export function verifySubnets({ firewall }: VerifySubject): VerifyFinding[] {
  const { masquerade, network, subnets } = firewall;
  if (!masquerade || subnets.length > 0) return [];
  const message = `the conflist of network ${network} names no subnet: what its guests send is not masqueraded, IPv6 is dropped, and their gateway answers no ping`;
  const remedy =
    'use the IPAM plugin host-local, or set masquerade: false and let the chain (ipMasq) or a router do it';
  return [finding('masquerade.subnets', message, remedy)];
}

export async function verifyForwarding(subject: VerifySubject): Promise<VerifyFinding[]> {
  const { binding, firewall } = subject;
  const keys = ['net/ipv4/ip_forward', ...(firewall.ipv6 ? ['net/ipv6/conf/all/forwarding'] : [])];
  const findings: VerifyFinding[] = [];
  for (const key of keys) {
    if ((await looking(binding.sysctlRead({ key }))) === '1') continue;
    const remedy = `sysctl -w ${key.replaceAll('/', '.')}=1, or let open() do it`;
    findings.push(finding('forwarding', `${key} is off: guests do not leave the host`, remedy));
  }
  // That of all links, once it is switched on, is that of each.
  return findings.length > 0 ? findings : verifyLinks(subject);
}

/** Links that guests come in on, and answers to them. */
async function verifyLinks({ binding, firewall }: VerifySubject): Promise<VerifyFinding[]> {
  const { links, routes } = await looking(binding.dump({ kinds: ['links', 'routes'] }));
  const uplink = links.find(({ index }) => index === wayOut(mainRoutes(routes))?.link);
  // Those of a routed network have their own from their set-up; a plugin's are as the kernel makes them.
  const guests = firewall.group === undefined ? firewall.bridges : [];
  const others = firewall.bridges.length === 0 ? ['default'] : [];
  const findings: VerifyFinding[] = [];
  for (const link of [...guests, ...others, ...(uplink === undefined ? [] : [uplink.name])]) {
    const key = forwardingOf(link);
    if ((await looking(binding.sysctlRead({ key }))) !== '0') continue;
    const what = link === uplink?.name ? 'answers to guests do not come in' : 'guests do not leave the host';
    const remedy = `sysctl -w ${key}=1 (systemd-networkd: IPv4Forwarding=yes)`;
    findings.push(finding('forwarding', `${key} is off: ${what}`, remedy));
  }
  return findings;
}

/** Values of `arp_ignore` by which the host answers for no address, or not for one of another link or another subnet. */
const forNone = 8;
const ofSubnet = 2;
const ofLink = 1;

const layoutsFor: Readonly<Record<number, string>> = {
  [ofLink]: "'bridge' or 'bridges'",
  [ofSubnet]: "'bridge'",
};

/** The subnet of the gateway's address is that address where there are host routes; in a routed network no guest's link has it. */
function ignoring({ firewall, hostRoutes }: VerifySubject): readonly number[] {
  if (!hostRoutes) return [forNone];
  const isRouted = firewall.group !== undefined && firewall.bridges.length > 0;
  return isRouted ? [ofLink, ofSubnet, forNone] : [ofSubnet, forNone];
}

/** The highest counts, of `all` and of the link. Those of a routed network have their own from their set-up. */
export async function verifyArp(subject: VerifySubject): Promise<VerifyFinding[]> {
  const { binding, firewall } = subject;
  if (!firewall.gateways.some((gateway) => isIP(gateway) === 4)) return [];
  const links = firewall.group === undefined ? firewall.bridges.slice(0, 1) : [];
  const keys = ['all', ...links].map((link) => `net/ipv4/conf/${link}/arp_ignore`);
  const found: { readonly key: string; readonly value: number }[] = [];
  for (const key of keys) {
    found.push({ key, value: Number(await looking(binding.sysctlRead({ key }))) });
  }
  const [highest] = found.sort((one, other) => other.value - one.value);
  if (highest === undefined || !ignoring(subject).includes(highest.value)) return [];
  const { key, value } = highest;
  const message = `${key} is ${value}: the host does not answer guests that ask for their gateway`;
  const layout = layoutsFor[value];
  const otherwise = layout === undefined ? '' : `; or choose layout ${layout}`;
  const remedy = `sysctl -w ${key}=0, and set that of the links that it is for${otherwise}`;
  return [finding('arp.unanswered', message, remedy)];
}

const putBack = 'repair() puts back what VMs have lost';

/** Bridges that are there, and the first: somebody may delete it, set it down, or flush its addresses. */
export async function verifyBridges(subject: VerifySubject): Promise<VerifyFinding[]> {
  const { binding, bridges, unreachable } = subject;
  const kinds = ['links', 'addresses', 'routes'] as const;
  const { links, addresses, routes } = await looking(binding.dump({ kinds }));
  const messages = bridges.flatMap((plan, place) => {
    const bridge = links.find(({ kind, name }) => kind === 'bridge' && name === plan.name);
    if (bridge === undefined) return place === 0 ? [`${plan.name} is gone`] : [];
    const own = addresses.filter(({ link }) => link === bridge.index);
    const present = new Set(own.map(({ ip, prefixLength }) => `${ip}/${prefixLength}`));
    const missing = plan.addresses.filter((address) => !present.has(address));
    const lacking = missing.map((address) => `${plan.name} has no address ${address}`);
    return bridge.up ? lacking : [`${plan.name} is down`, ...lacking];
  });
  for (const subnet of unreachable) {
    if (routes.some(({ destination, link }) => destination === subnet && link === 0)) continue;
    messages.push(`what no VM has of ${subnet} leads to the host's default route`);
  }
  return messages.map((message) => finding('bridge.changed', message, putBack));
}

/** Somebody who flushes the ruleset takes them away; what keeps this process from looking is a finding already. */
export async function verifyTables(subject: VerifySubject): Promise<VerifyFinding[]> {
  const { binding, firewall, guard } = subject;
  const look = <T>(looked: Promise<T>, otherwise: T) =>
    looked.catch((error: NativeError) => {
      if (unreadable.has(error.code)) return otherwise;
      throw nativeFailure(error, { step: 'verify' });
    });
  const parts = await look(binding.firewallCheck(firewall), []);
  const routed = guard === 'routed';
  const unguarded = guard === null ? [] : await look(binding.guardCheck({ routed }), []);
  const findings: VerifyFinding[] = [];
  if (parts.length > 0) {
    const message = `the firewall of network ${firewall.network} is not as it was made: ${parts.join(', ')}`;
    const remedy = `${putBack}; whoever opens the network later with other options changes it for all its VMs`;
    findings.push(finding('firewall.changed', message, remedy));
  }
  if (unguarded.length > 0) {
    const isMissing = unguarded.includes('table');
    const tables = routed ? 'inet or arp vulcan_guard' : 'bridge vulcan';
    const state = isMissing ? 'is missing' : 'has not the rules that it was made with';
    const message = `table ${tables} ${state}: what VMs say they are is not looked at`;
    findings.push(finding('guard.missing', message, putBack));
  }
  return findings;
}

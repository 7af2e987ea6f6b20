import type { BackendName, VerifyFinding } from '../types.ts';
import { kernelOptions } from './kernel-options.ts';

type Severity = VerifyFinding['severity'];

interface Entry {
  readonly severity: Severity;
  /** By `native`, where that is another. */
  readonly natively?: Severity;
  readonly when: string;
}

/** Whatever `verify` finds, how bad that is, and when. Ids never change their meaning. */
export const verifyFindings = {
  'arp.unanswered': {
    severity: 'warning',
    when: 'the host does not answer guests that ask for their gateway (`arp_ignore`)',
  },
  'bridge.changed': {
    severity: 'warning',
    when: "a bridge of the network's is gone, down or without its gateway's address, or the host has no route to nowhere for what no VM has of the subnet",
  },
  capability: { severity: 'error', when: 'the process lacks CAP_NET_ADMIN or CAP_SYS_ADMIN' },
  'capability.recycle': {
    severity: 'warning',
    when: 'the process lacks CAP_SYS_PTRACE, and a pool is set to recycle slots',
  },
  'device.tun': { severity: 'error', when: 'there is no /dev/net/tun, or this user may not open it' },
  'firewall.changed': {
    severity: 'warning',
    when: "the network's part of the firewall's table is not as it was made",
  },
  'forward.foreign-drop': {
    severity: 'warning',
    when: "someone else's chain drops forwarded packets that match none of its conditions",
  },
  'forward.unseen': { severity: 'notice', when: 'this user may not look at the chains of the old iptables' },
  forwarding: { severity: 'warning', when: 'the host does not forward what guests send' },
  'guard.missing': {
    severity: 'warning',
    when: 'the tables that hold VMs to their addresses and MACs are missing, or have other rules',
  },
  'input.foreign-drop': {
    severity: 'warning',
    when: "someone else's chain drops packets to the host that match none of its conditions, and `hostAccess` is not empty",
  },
  'kernel.conntrack_netlink': {
    severity: 'warning',
    when: 'connections of VMs that are gone cannot be deleted',
  },
  'kernel.*': {
    severity: 'error',
    when: `another feature of the kernel does not work; the id ends in its name: ${Object.keys(kernelOptions)
      .filter((feature) => feature !== 'conntrack_netlink')
      .join(', ')}`,
  },
  'masquerade.subnets': {
    severity: 'warning',
    when: '`masquerade` is on, and the conflist does not say which subnets its guests are in, as IPAM plugins other than host-local do not',
  },
  'mount.private': {
    severity: 'warning',
    when: "the process has a mount namespace of its own, or `netnsDir` is a private mount: VMMs outside may not see VMs' namespaces",
  },
  'plugin.missing': {
    severity: 'error',
    natively: 'notice',
    when: 'none of the plugin directories has a plugin',
  },
  'plugin.not-executable': { severity: 'error', natively: 'notice', when: 'a plugin cannot be executed' },
  'plugin.status': { severity: 'error', when: 'a plugin says that it is not ready (CNI 1.1.0)' },
  'plugin.tc-redirect-tap': {
    severity: 'notice',
    when: 'which tc-redirect-tap was found, and whether it is the one of this package',
  },
  'plugin.unusable': {
    severity: 'error',
    natively: 'notice',
    when: 'a plugin does not say which CNI versions it supports',
  },
  'plugin.version': {
    severity: 'error',
    natively: 'notice',
    when: 'a plugin does not support the CNI version of the configuration',
  },
  'pool.descriptors': {
    severity: 'warning',
    when: 'the limit of open files is too low for all slots that the pools may have',
  },
} as const satisfies Readonly<Record<string, Entry>>;

type FindingId = Exclude<keyof typeof verifyFindings, 'kernel.*'> | `kernel.${string}`;

function entryOf(id: FindingId): Entry {
  return id in verifyFindings
    ? verifyFindings[id as keyof typeof verifyFindings]
    : verifyFindings['kernel.*'];
}

export function finding(
  id: FindingId,
  message: string,
  remedy: string,
  backend?: BackendName,
): VerifyFinding {
  const { severity, natively = severity } = entryOf(id);
  return { id, severity: backend === 'native' ? natively : severity, message, remedy };
}

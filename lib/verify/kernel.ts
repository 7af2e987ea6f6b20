import { isKernelLimit, raiseLimits } from '../backends/kernel-error.ts';
import type { ProbeResult } from '../native/host.ts';
import type { VerifyFinding } from '../types.ts';
import { finding, looking, type Severity, type VerifySubject } from './subject.ts';

const kernelOptions: Readonly<Record<string, string>> = {
  netns: 'CONFIG_NET_NS',
  mount: 'CONFIG_NET_NS',
  bridge: 'CONFIG_BRIDGE (modprobe bridge)',
  bridge_port: 'CONFIG_BRIDGE (modprobe bridge)',
  veth: 'CONFIG_VETH (modprobe veth)',
  tap: 'CONFIG_TUN (modprobe tun)',
  ingress: 'CONFIG_NET_SCH_INGRESS (modprobe sch_ingress)',
  u32: 'CONFIG_NET_CLS_U32 (modprobe cls_u32)',
  mirred: 'CONFIG_NET_ACT_MIRRED (modprobe act_mirred)',
  nf_tables: 'CONFIG_NF_TABLES and CONFIG_NF_TABLES_INET (modprobe nf_tables)',
  nft_comment: 'CONFIG_NF_TABLES of Linux 5.10 or newer',
  nft_interval: 'CONFIG_NF_TABLES (modprobe nf_tables)',
  nft_concatenation: 'CONFIG_NF_TABLES (modprobe nf_tables)',
  nft_conntrack: 'CONFIG_NFT_CT (modprobe nft_ct)',
  nft_masquerade: 'CONFIG_NFT_MASQ and CONFIG_NFT_NAT (modprobe nft_masq)',
  guard_bridge: 'CONFIG_NF_TABLES_BRIDGE, or set antiSpoofing to false',
  guard_routed: 'CONFIG_NF_TABLES_ARP, or set antiSpoofing to false',
  conntrack_netlink:
    'CONFIG_NF_CT_NETLINK (modprobe nf_conntrack_netlink): without it answers to a VM that is gone may reach whoever gets its address, and no slot of a pool is used again',
};

/** Of a feature: `null` where the manager has no use for it. */
function severityOf(feature: string, { guard }: VerifySubject): Severity | null {
  if (feature === 'guard_bridge' || feature === 'guard_routed') {
    return feature === `guard_${guard}` ? 'error' : null;
  }
  if (feature === 'conntrack_netlink') return 'warning';
  return 'error';
}

const privilegeErrors = new Set(['EPERM', 'EACCES']);

function kernelProblem({ feature, error, syscall }: ProbeResult, severity: Severity): VerifyFinding {
  const message = `${feature} does not work: ${error} from ${syscall}`;
  const id = `kernel.${feature}`;
  if (feature === 'tap' && error === 'EACCES' && syscall === 'open') {
    const remedy = 'let this user read and write it: chmod 0666 /dev/net/tun, or an ACL';
    return finding('device.tun', severity, 'this process may not open /dev/net/tun', remedy);
  }
  if (error !== null && privilegeErrors.has(error)) {
    return finding(id, severity, message, 'run as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN');
  }
  if (feature === 'tap' && error === 'ENOENT') {
    const remedy = 'mkdir -p /dev/net && mknod /dev/net/tun c 10 200 && chmod 0666 /dev/net/tun';
    return finding('device.tun', severity, 'there is no /dev/net/tun', remedy);
  }
  if (isKernelLimit({ code: error ?? '', syscall: syscall ?? '' })) {
    return finding(id, severity, message, raiseLimits);
  }
  const option = kernelOptions[feature] ?? 'the option that the feature is named after';
  return finding(id, severity, message, `use a kernel with ${option}`);
}

export async function verifyKernel(subject: VerifySubject): Promise<VerifyFinding[]> {
  const probed = await looking(subject.binding.probe({}));
  return probed.flatMap((result) => {
    const severity = result.ok ? null : severityOf(result.feature, subject);
    return severity === null ? [] : [kernelProblem(result, severity)];
  });
}

/** Their numbers are those of linux/capability.h. */
const capabilities = {
  needed: [
    ['CAP_NET_ADMIN', 12n],
    ['CAP_SYS_ADMIN', 21n],
  ],
  ptrace: 19n,
} as const;

export async function verifyCapabilities({ binding, recycles }: VerifySubject): Promise<VerifyFinding[]> {
  const mask = BigInt(`0x${await looking(binding.capabilities())}`);
  const isLacking = (bit: bigint) => ((mask >> bit) & 1n) === 0n;
  const findings = capabilities.needed
    .filter(([, bit]) => isLacking(bit))
    .map(([name]) =>
      finding('capability', 'error', `this process lacks ${name}`, `run as root, or give it ${name}`),
    );
  if (recycles && isLacking(capabilities.ptrace)) {
    const message =
      'this process lacks CAP_SYS_PTRACE: while processes of other users run, no slot of a pool is used again';
    const remedy = 'run as root, or give it CAP_SYS_PTRACE, or set pool.recycle to false';
    findings.push(finding('capability.recycle', 'warning', message, remedy));
  }
  return findings;
}

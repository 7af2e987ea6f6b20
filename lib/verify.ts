import type { ChainOptions, ChainRunner } from './cni/call.ts';
import { nativeFailure } from './cni/native-failure.ts';
import { probePlugin } from './cni/probe.ts';
import { effectiveVersion } from './cni/version.ts';
import { NetworkError } from './errors.ts';
import type { NativeBinding } from './native/binding.ts';
import type { NativeError } from './native/error.ts';
import type { ForwardChain, ProbeResult } from './native/host.ts';
import type { BackendName, VerifyFinding, VerifyPlugin, VerifyReport } from './types.ts';

/** What must be there for set-ups to succeed, each proven by use, and what to do about what is missing. */

export type VerifyBinding = ChainRunner &
  Pick<NativeBinding, 'probe' | 'capabilities' | 'sysctlRead' | 'mountState' | 'forwardChains'>;

export interface VerifySubject {
  readonly binding: VerifyBinding;
  readonly backend: BackendName;
  /** The chain's plugins and their IPAM plugins. */
  readonly pluginTypes: readonly string[];
  /** The version that the chain's configuration asks for; empty means 0.1.0. */
  readonly cniVersion: string;
  /** How the chain finds and runs its plugins. */
  readonly chain: ChainOptions;
  readonly bundledPluginDir: string;
  readonly netnsDir: string;
  readonly bridges: readonly string[];
  readonly ipv6: boolean;
  readonly signal?: AbortSignal | undefined;
}

type Severity = VerifyFinding['severity'];

const finding = (id: string, severity: Severity, message: string, remedy: string): VerifyFinding => ({
  id,
  severity,
  message,
  remedy,
});

// Plugins

const installPlugins =
  'apt-get install containernetworking-plugins (its directory is /usr/lib/cni), or add the directory that has it to pluginDirs';
const rebuildPackage = 'npm rebuild vulcan-net builds it';

function pluginProblem(subject: VerifySubject, type: string, error: unknown): VerifyFinding {
  const severity = subject.backend === 'cni' ? 'error' : 'notice';
  if (!(error instanceof NetworkError)) throw error;
  if (error.code === 'ERR_PLUGIN_NOT_FOUND') {
    const remedy = type === 'tc-redirect-tap' ? rebuildPackage : installPlugins;
    const message = `plugin ${type} is in none of ${subject.chain.pluginDirs.join(', ')}`;
    return finding('plugin.missing', severity, message, remedy);
  }
  const id = error.code === 'ERR_PLUGIN_NOT_EXECUTABLE' ? 'plugin.not-executable' : 'plugin.unusable';
  return finding(id, severity, `plugin ${type}: ${error.message}`, error.remedy);
}

async function verifyPlugin(
  subject: VerifySubject,
  type: string,
): Promise<{ readonly plugin: VerifyPlugin; readonly findings: readonly VerifyFinding[] }> {
  const { binding, backend, chain, bundledPluginDir, signal } = subject;
  try {
    const { path, versions } = await probePlugin(chain, type, signal);
    const plugin = { type, path, bundled: path.startsWith(`${bundledPluginDir}/`), versions };
    const findings: VerifyFinding[] = [];
    const wanted = effectiveVersion(subject.cniVersion);
    if (!versions.includes(wanted)) {
      const message = `plugin ${type} (${path}) speaks CNI ${versions.join(', ')}, and not the configuration's ${wanted}`;
      const remedy = `set cniVersion to one of ${versions.join(', ')}, or upgrade the plugin`;
      findings.push(finding('plugin.version', backend === 'cni' ? 'error' : 'notice', message, remedy));
    }
    if (type === 'tc-redirect-tap') {
      const which = plugin.bundled ? 'the one that comes with this package' : 'not the one of this package';
      const remedy = 'nothing to do: the first of pluginDirs that has it wins';
      findings.push(
        finding('plugin.tc-redirect-tap', 'notice', `tc-redirect-tap is ${path}, ${which}`, remedy),
      );
    }
    return { plugin, findings };
  } catch (error) {
    if (signal?.aborted) throw error;
    const found = await binding.fileFind({ directories: chain.pluginDirs, name: type });
    const path = found?.path ?? null;
    const plugin = { type, path, bundled: path?.startsWith(`${bundledPluginDir}/`) ?? false, versions: [] };
    return { plugin, findings: [pluginProblem(subject, type, error)] };
  }
}

// Kernel

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
};

const privilegeErrors = new Set(['EPERM', 'EACCES']);

function kernelProblem({ feature, error, syscall }: ProbeResult): VerifyFinding {
  const message = `${feature} does not work: ${error} from ${syscall}`;
  const id = `kernel.${feature}`;
  if (error !== null && privilegeErrors.has(error)) {
    return finding(id, 'error', message, 'run as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN');
  }
  if (feature === 'tap' && error === 'ENOENT') {
    const remedy = 'mkdir -p /dev/net && mknod /dev/net/tun c 10 200 && chmod 0666 /dev/net/tun';
    return finding('device.tun', 'error', 'there is no /dev/net/tun', remedy);
  }
  const option = kernelOptions[feature] ?? 'the option that the feature is named after';
  return finding(id, 'error', message, `use a kernel with ${option}`);
}

// Privilege, mounts, forwarding

const neededCapabilities = [
  ['CAP_NET_ADMIN', 12n],
  ['CAP_SYS_ADMIN', 21n],
] as const;

/** That it can't be told is not the same as a finding. */
function looking<T>(look: Promise<T>): Promise<T> {
  return look.catch((error: Error) => {
    throw nativeFailure(error, { step: 'verify' });
  });
}

async function verifyCapabilities({ binding }: VerifySubject): Promise<VerifyFinding[]> {
  const mask = BigInt(`0x${await looking(binding.capabilities())}`);
  return neededCapabilities
    .filter(([, bit]) => ((mask >> bit) & 1n) === 0n)
    .map(([name]) =>
      finding('capability', 'error', `this process lacks ${name}`, `run as root, or give it ${name}`),
    );
}

async function verifyMounts({ binding, netnsDir }: VerifySubject): Promise<VerifyFinding[]> {
  const { hostMountNamespace } = await looking(binding.mountState({ directory: netnsDir }));
  if (hostMountNamespace) return [];
  const message = `this process has a mount namespace of its own: names under ${netnsDir} may be invisible to VMMs outside`;
  const remedy = `run it without PrivateMounts, PrivateTmp and the like (systemd), or share ${netnsDir} with the VMMs`;
  return [finding('mount.private', 'warning', message, remedy)];
}

async function verifyForwarding({ binding, ipv6 }: VerifySubject): Promise<VerifyFinding[]> {
  const keys = ['net/ipv4/ip_forward', ...(ipv6 ? ['net/ipv6/conf/all/forwarding'] : [])];
  const findings: VerifyFinding[] = [];
  for (const key of keys) {
    if ((await looking(binding.sysctlRead({ key }))) === '1') continue;
    const remedy = `sysctl -w ${key.replaceAll('/', '.')}=1, or let open() do it`;
    findings.push(finding('forwarding', 'warning', `${key} is off: guests do not leave the host`, remedy));
  }
  return findings;
}

const unreadable = new Set(['EPERM', 'EACCES', 'EPROTONOSUPPORT', 'EOPNOTSUPP']);

/** An accept of ours ends only our own chains: another's drop still has the last word. */
function foreignDrop(
  { family, table, chain, bridged }: ForwardChain,
  bridges: readonly string[],
): VerifyFinding {
  const name = `chain ${chain} of table ${family} ${table}`;
  const scope = bridged ? 'also between guests of one bridge' : 'of guests to the outside';
  const message = `${name} drops what is forwarded, ${scope}, unless a rule of its own accepts it`;
  const isDockers = family === 'ip' || family === 'legacy';
  const target = isDockers ? 'DOCKER-USER (where Docker runs), else FORWARD,' : `${chain}`;
  const rules = bridges.map((bridge) =>
    isDockers
      ? `iptables -I DOCKER-USER -i ${bridge} -j ACCEPT && iptables -I DOCKER-USER -o ${bridge} -j ACCEPT`
      : `nft insert rule ${family} ${table} ${chain} iifname ${bridge} accept && nft insert rule ${family} ${table} ${chain} oifname ${bridge} accept`,
  );
  return finding(
    'forward.foreign-drop',
    'warning',
    message,
    `accept the bridge in ${target}: ${rules.join('; ')}`,
  );
}

async function verifyForwardChains({ binding, bridges }: VerifySubject): Promise<VerifyFinding[]> {
  const chains = await binding.forwardChains({}).catch((error: NativeError) => {
    // The want of privilege, or of nf_tables, is a finding already.
    if (unreadable.has(error.code)) return [];
    throw nativeFailure(error, { step: 'verify' });
  });
  return chains.filter(({ drops }) => drops).map((chain) => foreignDrop(chain, bridges));
}

// The report

function reportText(findings: readonly VerifyFinding[], plugins: readonly VerifyPlugin[]): string {
  const lines = plugins.map(({ type, path, versions }) =>
    `plugin ${type}: ${path ?? 'missing'} ${versions.join(' ')}`.trimEnd(),
  );
  for (const { severity, message, remedy } of findings) {
    if (severity === 'notice') continue;
    lines.push(`${severity}: ${message}`, `  remedy: ${remedy}`);
  }
  return lines.join('\n');
}

function report(findings: readonly VerifyFinding[], plugins: readonly VerifyPlugin[]): VerifyReport {
  return {
    ok: findings.every(({ severity }) => severity !== 'error'),
    findings,
    plugins,
    toString: () => reportText(findings, plugins),
  };
}

/** Looks at everything and rejects only when the signal aborts: what is wrong is in the report. */
export async function verify(subject: VerifySubject): Promise<VerifyReport> {
  const plugins: VerifyPlugin[] = [];
  const findings: VerifyFinding[] = await verifyCapabilities(subject);
  for (const type of new Set(subject.pluginTypes)) {
    const verified = await verifyPlugin(subject, type);
    plugins.push(verified.plugin);
    findings.push(...verified.findings);
  }
  const probed = await looking(subject.binding.probe({}));
  findings.push(...probed.filter(({ ok }) => !ok).map(kernelProblem));
  findings.push(...(await verifyMounts(subject)), ...(await verifyForwarding(subject)));
  findings.push(...(await verifyForwardChains(subject)));
  return report(findings, plugins);
}

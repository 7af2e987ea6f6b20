import { nativeFailure } from '../cni/native-failure.ts';
import type { NativeError } from '../native/error.ts';
import type { ForwardChain } from '../native/host.ts';
import type { VerifyFinding } from '../types.ts';
import { finding, looking, type VerifySubject } from './subject.ts';

export async function verifyMounts({ binding, netnsDir }: VerifySubject): Promise<VerifyFinding[]> {
  const { hostMountNamespace } = await looking(binding.mountState({ directory: netnsDir }));
  if (hostMountNamespace) return [];
  const message = `this process has a mount namespace of its own: names under ${netnsDir} may be invisible to VMMs outside`;
  const remedy = `run it without PrivateMounts, PrivateTmp and the like (systemd), or share ${netnsDir} with the VMMs`;
  return [finding('mount.private', 'warning', message, remedy)];
}

export async function verifyForwarding({ binding, ipv6 }: VerifySubject): Promise<VerifyFinding[]> {
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

export async function verifyForwardChains({ binding, bridges }: VerifySubject): Promise<VerifyFinding[]> {
  const chains = await binding.forwardChains({}).catch((error: NativeError) => {
    // The want of privilege, or of nf_tables, is a finding already.
    if (unreadable.has(error.code)) return [];
    throw nativeFailure(error, { step: 'verify' });
  });
  return chains.filter(({ drops }) => drops).map((chain) => foreignDrop(chain, bridges));
}

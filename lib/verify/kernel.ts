import type { ProbeResult } from '../native/host.ts';
import { isKernelLimit, raiseLimits } from '../native/kernel-error.ts';
import type { VerifyFinding } from '../types.ts';
import { finding } from './findings.ts';
import { kernelOptions } from './kernel-options.ts';
import { looking, type VerifySubject } from './subject.ts';

/** Of those that guard ports a manager needs one, or none. */
const isNeeded = (feature: string, { guard }: VerifySubject): boolean =>
  !feature.startsWith('guard_') || feature === `guard_${guard}`;

const privilegeErrors = new Set(['EPERM', 'EACCES']);

function kernelProblem({ feature, error, syscall }: ProbeResult): VerifyFinding {
  const message = `${feature} does not work: ${error} from ${syscall}`;
  const id = `kernel.${feature}` as const;
  if (feature === 'tap' && error === 'EACCES' && syscall === 'open') {
    const remedy = 'let this user read and write it: chmod 0666 /dev/net/tun, or an ACL';
    return finding('device.tun', 'this process may not open /dev/net/tun', remedy);
  }
  if (error !== null && privilegeErrors.has(error)) {
    return finding(id, message, 'run as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN');
  }
  if (feature === 'tap' && error === 'ENOENT') {
    const remedy = 'mkdir -p /dev/net && mknod /dev/net/tun c 10 200 && chmod 0666 /dev/net/tun';
    return finding('device.tun', 'there is no /dev/net/tun', remedy);
  }
  if (isKernelLimit({ code: error ?? '', syscall: syscall ?? '' })) {
    return finding(id, message, raiseLimits);
  }
  const option = kernelOptions[feature] ?? 'the option that the feature is named after';
  return finding(id, message, `use a kernel with ${option}`);
}

export async function verifyKernel(subject: VerifySubject): Promise<VerifyFinding[]> {
  const probed = await looking(subject.binding.probe({}));
  return probed.flatMap((result) =>
    result.ok || !isNeeded(result.feature, subject) ? [] : [kernelProblem(result)],
  );
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
    .map(([name]) => finding('capability', `this process lacks ${name}`, `run as root, or give it ${name}`));
  if (recycles && isLacking(capabilities.ptrace)) {
    const message =
      'this process lacks CAP_SYS_PTRACE: while processes of other users run, no slot of a pool is used again';
    const remedy = 'run as root, or give it CAP_SYS_PTRACE, or set pool.recycle to false';
    findings.push(finding('capability.recycle', message, remedy));
  }
  return findings;
}

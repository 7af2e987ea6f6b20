import { AbortError } from '../errors.ts';
import type { VerifyFinding, VerifyPlugin, VerifyReport } from '../types.ts';
import { verifyForeignChains } from './foreign-chains.ts';
import {
  verifyArp,
  verifyBridges,
  verifyDescriptors,
  verifyForwarding,
  verifyMounts,
  verifySubnets,
  verifyTables,
} from './host.ts';
import { verifyCapabilities, verifyKernel } from './kernel.ts';
import { verifyPlugin, verifyStatus } from './plugins.ts';
import type { VerifySubject } from './subject.ts';

/** What must be there for set-ups to succeed, each proven by use, and what to do about what is missing. */

function reportText(findings: readonly VerifyFinding[], plugins: readonly VerifyPlugin[]): string {
  // A plugin that is missing and needed is a finding.
  const lines = plugins
    .filter(({ path }) => path !== null)
    .map(({ type, path, versions }) => `plugin ${type}: ${path} ${versions.join(' ')}`.trimEnd());
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

/**
 * `means`: what set-ups need besides the network, without which they fail; no plugin by `native`, which starts none for them.
 * `network`: what keeps its guests from the world, whatever its tables are.
 */
export type VerifyScope = 'means' | 'network';

/** Looks at everything, or one half. What is wrong is in the report; rejects where a look fails, or when the signal aborts. */
export async function verify(subject: VerifySubject, what?: VerifyScope): Promise<VerifyReport> {
  const areNeeded = subject.backend === 'cni' || what !== 'means';
  const pluginTypes = areNeeded ? subject.pluginTypes : [];
  const means = what === 'network' ? report([], []) : await verifyMeans({ ...subject, pluginTypes });
  throwIfAborted(subject);
  const network = what === 'means' ? [] : await verifyNetwork(subject);
  const made =
    what === undefined ? [...(await verifyBridges(subject)), ...(await verifyTables(subject))] : [];
  throwIfAborted(subject);
  return report([...means.findings, ...network, ...made], means.plugins);
}

/** Most looks heed no signal. */
function throwIfAborted({ signal }: VerifySubject): void {
  if (signal?.aborted) throw new AbortError(true, { cause: signal.reason });
}

async function verifyMeans(subject: VerifySubject): Promise<VerifyReport> {
  const plugins: VerifyPlugin[] = [];
  const findings: VerifyFinding[] = await verifyCapabilities(subject);
  for (const type of new Set(subject.pluginTypes)) {
    const verified = await verifyPlugin(subject, type);
    plugins.push(verified.plugin);
    findings.push(...verified.findings);
  }
  findings.push(...(await verifyStatus(subject, plugins)));
  findings.push(...(await verifyKernel(subject)));
  findings.push(...(await verifyDescriptors(subject)), ...(await verifyMounts(subject)));
  return report(findings, plugins);
}

const verifyNetwork = async (subject: VerifySubject): Promise<readonly VerifyFinding[]> => [
  ...verifySubnets(subject),
  ...(await verifyForwarding(subject)),
  ...(await verifyArp(subject)),
  ...(await verifyForeignChains(subject)),
];

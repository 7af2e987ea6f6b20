import { probePlugin } from '../cni/probe.ts';
import { effectiveVersion } from '../cni/version.ts';
import { NetworkError } from '../errors.ts';
import type { VerifyFinding, VerifyPlugin } from '../types.ts';
import { finding } from './findings.ts';
import type { VerifySubject } from './subject.ts';

const installPlugins =
  'apt-get install containernetworking-plugins (its directory is /usr/lib/cni), or add the directory that has it to pluginDirs';
const rebuildPackage = 'npm rebuild vulcan-net builds it';

function pluginProblem(subject: VerifySubject, type: string, error: unknown): VerifyFinding {
  if (!(error instanceof NetworkError)) throw error;
  if (error.code === 'ERR_PLUGIN_NOT_FOUND') {
    const remedy = type === 'tc-redirect-tap' ? rebuildPackage : installPlugins;
    const message = `plugin ${type} is in none of ${subject.chain.pluginDirs.join(', ')}`;
    return finding('plugin.missing', message, remedy, subject.backend);
  }
  const id = error.code === 'ERR_PLUGIN_NOT_EXECUTABLE' ? 'plugin.not-executable' : 'plugin.unusable';
  return finding(id, `plugin ${type}: ${error.message}`, error.remedy, subject.backend);
}

export async function verifyPlugin(
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
      findings.push(finding('plugin.version', message, remedy, backend));
    }
    if (type === 'tc-redirect-tap') {
      const which = plugin.bundled ? 'the one that comes with this package' : 'not the one of this package';
      const remedy = 'nothing to do: the first of pluginDirs that has it wins';
      findings.push(finding('plugin.tc-redirect-tap', `tc-redirect-tap is ${path}, ${which}`, remedy));
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

/** Of those that can be asked, whether they are ready; what is wrong with the others is known. */
export async function verifyStatus(
  { status, cniVersion, signal }: VerifySubject,
  plugins: readonly VerifyPlugin[],
): Promise<readonly VerifyFinding[]> {
  if (status === null) return [];
  const wanted = effectiveVersion(cniVersion);
  const asked = new Set(plugins.flatMap(({ type, versions }) => (versions.includes(wanted) ? [type] : [])));
  const errors = await status({ signal });
  return errors.flatMap((error) => {
    const { type = '', msg = error.message, details = '' } = error.plugin ?? {};
    if (!asked.has(type)) return [];
    const said = details === '' ? msg : `${msg}; ${details}`;
    const remedy = `mend what ${type} says, or set-ups will fail: ${said}`;
    return [finding('plugin.status', `plugin ${type} is not ready: ${said}`, remedy)];
  });
}

/** Versions of the CNI specification. */

export const currentVersion = '1.1.0';

/** Versions that have a result format of their own; a configuration in any other can't be executed. */
export const knownVersions: readonly string[] = [
  '0.1.0',
  '0.2.0',
  '0.3.0',
  '0.3.1',
  '0.4.0',
  '1.0.0',
  currentVersion,
];

/** The empty version is 0.1.0: configurations were first written without one. */
export function effectiveVersion(version: string): string {
  return version === '' ? '0.1.0' : version;
}

/** One to three decimal parts, those that are missing being 0; `null` for anything else. */
export function parseVersion(version: string): readonly [number, number, number] | null {
  const parts = effectiveVersion(version).split('.');
  if (parts.length > 3 || !parts.every((part) => /^[0-9]{1,15}$/.test(part))) return null;
  const [major = 0, minor = 0, patch = 0] = parts.map(Number);
  return [major, minor, patch];
}

/** Negative, zero or positive; a version that can't be parsed is less than any that can. */
export function compareVersions(first: string, second: string): number {
  const [one, other] = [parseVersion(first), parseVersion(second)];
  if (one === null || other === null) return Number(one !== null) - Number(other !== null);
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
}

export function atLeast(version: string, minimum: string): boolean {
  return compareVersions(version, minimum) >= 0;
}

/**
 * The version to run a conflist with: the highest of `cniVersion` and `cniVersions` that this runtime knows of. Where
 * none is left, or no list is given, `cniVersion` as it stands.
 */
export function negotiateVersion(cniVersion: string, cniVersions: readonly string[] | null): string {
  if (cniVersions === null) return cniVersion;
  const offered = cniVersion === '' ? cniVersions : [...cniVersions, cniVersion];
  return (
    offered
      .filter((version) => compareVersions(version, currentVersion) <= 0)
      .reduce((best, version) => (best === '' || atLeast(version, best) ? version : best), '') || cniVersion
  );
}

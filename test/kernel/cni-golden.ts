import { readFileSync } from 'node:fs';
import type { JsonObject, RuntimeConf } from '../../lib/cni/types.ts';

/** Networks that the reference plugins were recorded with: test/golden. */

export function golden(path: string): string {
  return readFileSync(new URL(`../golden/${path}`, import.meta.url), 'utf8');
}

export function goldenConfList(
  scenario: string,
): JsonObject & { readonly name: string; readonly plugins: readonly JsonObject[] } {
  return JSON.parse(golden(`${scenario}/${scenario}.conflist`));
}

/** What the recorded chain was given beside its configuration. */
export const goldenOptions: Readonly<Record<string, Partial<RuntimeConf>>> = {
  mac: {
    args: [
      ['TC_REDIRECT_TAP_NAME', 'cnrtap0'],
      ['TC_REDIRECT_TAP_UID', '1234'],
      ['TC_REDIRECT_TAP_GID', '4321'],
      ['IgnoreUnknown', '1'],
    ],
    capabilityArgs: { mac: '02:00:00:00:78:01', ips: ['10.78.1.77/24'] },
  },
};

/** Debian's plugins stop at 1.0.0, and know neither port isolation nor masquerade by nftables. */
export function scenariosOf(generation: string): readonly string[] {
  return generation === 'debian' ? ['basic', 'mac'] : ['basic', 'mac', 'full', 'v6only', 'masq-nft'];
}

/** Without what is random in every run. */
export function withoutRandom(text: string): string {
  return text
    .replaceAll(/veth[0-9a-f]{8}/g, 'veth*')
    .replaceAll(/(?!02:00:00:00:78:01)([0-9a-f]{2}:){5}[0-9a-f]{2}/g, '*:*');
}

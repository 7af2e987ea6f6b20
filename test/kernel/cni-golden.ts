import { readFileSync } from 'node:fs';
import type { JsonObject } from '../../lib/cni/types.ts';

/** Networks whose state the reference plugins were recorded with: test/golden. */

const read = (path: string) => readFileSync(new URL(`../golden/${path}`, import.meta.url), 'utf8');

export function goldenConfList(scenario: string): { readonly name: string } & JsonObject {
  return JSON.parse(read(`${scenario}/${scenario}.conflist`));
}

export function goldenResult(scenario: string): string {
  return read(`${scenario}/add-result.json`);
}

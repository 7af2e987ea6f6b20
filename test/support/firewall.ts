import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FirewallNetwork } from '../../lib/native/engine.ts';
import { addonFile } from './native.ts';
import { outcomeOf, run } from './run.ts';

/** A network as strict as they come. */
export function networkPlan(
  name: string,
  bridge: string,
  subnet: string,
  change: Partial<FirewallNetwork> = {},
): FirewallNetwork {
  return {
    network: name,
    bridges: [bridge],
    subnets: [subnet],
    gateways: [subnet.replace(/\d*\/\d+$/, '1')],
    masquerade: true,
    allowLinkLocal: false,
    ipv6: false,
    isolated: false,
    hostAccess: [],
    ...change,
  };
}

/** What `nft` shows of our table; empty when there is none. */
export async function listTable(): Promise<string> {
  return (await outcomeOf('nft', ['list', 'table', 'inet', 'vulcan'])).stdout;
}

/** Rules of one of the table's chains, as nft writes them. */
export async function rulesOf(chain: string): Promise<string[]> {
  const text = await run('nft', ['list', 'chain', 'inet', 'vulcan', chain]);
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(table|chain|type|})/.test(line));
}

interface Listing {
  readonly nftables: readonly {
    readonly set?: { readonly name: string; readonly elem?: readonly unknown[] };
  }[];
}

interface CommentedElement {
  readonly elem: { readonly val: unknown; readonly comment: string };
}

/** Elements as `value (owner)`, sorted, for each set that has any. */
export async function listElements(): Promise<Record<string, string[]>> {
  const { nftables } = JSON.parse(await run('nft', ['-j', 'list', 'table', 'inet', 'vulcan'])) as Listing;
  const sets = nftables.flatMap(({ set }) =>
    set?.elem === undefined ? [] : [[set.name, set.elem] as const],
  );
  return Object.fromEntries(
    sets.map(([name, elements]) => [
      name,
      elements
        .map((element) => (element as CommentedElement).elem)
        .map(({ val, comment }) => `${format(val)} (${comment})`)
        .sort(),
    ]),
  );
}

function format(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { prefix, concat } = value as { prefix?: { addr: string; len: number }; concat?: unknown[] };
  if (prefix !== undefined) return `${prefix.addr}/${prefix.len}`;
  return concat?.map(format).join(' . ') ?? JSON.stringify(value);
}

/** Another process that ensures and removes a network, again and again, and ends with it ensured. */
export async function churn(plan: FirewallNetwork, rounds: number, remove: boolean): Promise<void> {
  const script = fileURLToPath(new URL('firewall-churn.mjs', import.meta.url));
  const args = [script, addonFile, JSON.stringify(plan), `${rounds}`, remove ? 'remove' : 'keep'];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  if (exitCode !== 0) throw new Error(`${plan.network}: exit ${exitCode}`);
}

import { readdir, readFile } from 'node:fs/promises';
import { canonicalDump } from '../support/dump.mjs';
import { ip } from '../support/run.ts';

/** What a set-up leaves, as facts without what is random in every run. */

interface Link {
  readonly ifname: string;
  readonly num_tx_queues: number;
  readonly num_rx_queues: number;
}

function withoutRandom(line: string): string {
  return line
    .replaceAll(/veth[0-9a-f]{8}|vn[0-9a-f]{13}/g, 'HOST')
    .replaceAll(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, 'MAC')
    .replace(/ \d+ bytes [0-9a-f]{12}$/, '');
}

/** Each setting of a link by itself. */
function factsOf(line: string): readonly string[] {
  const [, link = '', settings = ''] = /^((?:netns \S+: )?link \S+) (.*)$/.exec(line) ?? [];
  if (link === '') return [line];
  const alias = /alias="[^"]*"/.exec(settings)?.[0] ?? '';
  const words = settings.replace(alias, '').split(' ');
  return [...words, alias].filter((word) => word !== '').map((word) => `${link}: ${word}`);
}

/** The dump leaves them out, as they never change in a link's life. */
async function queues(where: string, ...ipArgs: readonly string[]): Promise<readonly string[]> {
  const links: readonly Link[] = JSON.parse(await ip(...ipArgs, '-details', '-j', 'link', 'show'));
  return links.map((link) => `${where}queues ${link.ifname} ${link.num_tx_queues} ${link.num_rx_queues}`);
}

/** Without its configuration, which is the same file, a record is what it says the chain answered. */
async function record(directory: string): Promise<readonly string[]> {
  const [name = ''] = await readdir(directory);
  const content = JSON.parse(await readFile(`${directory}/${name}`, 'utf8'));
  // cnitool is given no arguments, and no MAC.
  const { cniArgs: _args, capabilityArgs: _capabilities, ...rest } = content;
  const lines = JSON.stringify(rest, null, 1).split('\n');
  return lines.map((line, index) => `record ${index} ${line.trim()}`);
}

export async function endState(stateDir: string, vmId: string): Promise<ReadonlySet<string>> {
  const anchor = `vulcan-${vmId}`;
  const lines = [
    ...(await canonicalDump()).trimEnd().split('\n').flatMap(factsOf),
    ...(await queues('')),
    ...(await queues(`netns ${anchor}: `, '-n', anchor)),
    ...(await record(`${stateDir}/results`)),
  ];
  return new Set(lines.map(withoutRandom));
}

import { readFile, stat } from 'node:fs/promises';
import { hostLinks } from '../contract/oracles.ts';
import { canonicalDump } from '../support/dump.ts';
import type { Host } from './host.ts';
import type { Listed } from './managers.ts';

/** The canonical dump, with all that is a VM's own under one name for every VM. */

/** The kernel's own link-local addresses come and go with carriers. */
const isSteady = (line: string) => line !== '' && !line.includes('fe80::');

/** A set is a line for itself and one for each of its elements. */
function linesOf(line: string): readonly string[] {
  if (!line.startsWith('nft {"set"') && !line.startsWith('nft {"map"')) return [line];
  const [[kind, { elem = [], ...set }] = ['', {}]] = Object.entries(
    JSON.parse(line.slice('nft '.length)) as Record<string, Record<string, unknown>>,
  );
  const head = `nft ${kind} ${set['family']} ${set['table']} ${set['name']}`;
  return [
    `${head} ${JSON.stringify(set)}`,
    ...(elem as unknown[]).map((one) => `${head} has ${JSON.stringify(one)}`),
  ];
}

type Renaming = readonly (readonly [RegExp, string])[];

const literally = (text: string) => new RegExp(`${text.replaceAll('.', '\\.')}(?![\\w.])`, 'g');

/** What is the VM's own by its record: its link, its MACs, its address, itself. */
async function renamingOf(host: Host, { vmId, ip }: Listed): Promise<Renaming> {
  const record = await readFile(host.recordOf(vmId), 'utf8');
  const macs = new Set(record.match(/[0-9a-f]{2}(:[0-9a-f]{2}){5}/g) ?? []);
  const link = (await hostLinks()).find(({ ifalias }) => ifalias === `vulcan-net fcnet ${vmId} eth0`);
  return [
    ...[...macs].map((mac, at) => [literally(mac), `<mac ${at}>`] as const),
    [literally(link?.ifname ?? 'no link'), '<link>'],
    [literally(ip), '<ip>'],
    [literally(vmId), '<vm>'],
  ];
}

const renamed = (text: string, renaming: Renaming) =>
  renaming.reduce((result, [from, to]) => result.replaceAll(from, to), text);

/** Texts of record and reservation, and whether the lock claims the namespace that has the name. */
async function filesOf(host: Host, { vmId, ip }: Listed): Promise<readonly string[]> {
  const { dev, ino } = await stat(`/run/netns/vulcan-${vmId}`);
  const claim = await readFile(host.lockOf(vmId), 'utf8');
  return [
    `record ${await readFile(host.recordOf(vmId), 'utf8')}`,
    `reservation ${await readFile(host.addressOf(ip), 'utf8')}`,
    `claim ${claim === `${dev}:${ino}\n` ? 'of the namespace' : claim}`,
  ];
}

/** In order, so that two states are the same when their lines are. */
export async function stateOf(host: Host, listed: readonly Listed[]): Promise<readonly string[]> {
  let lines = (await canonicalDump()).split('\n').filter(isSteady).flatMap(linesOf);
  for (const vm of listed) {
    const renaming = await renamingOf(host, vm);
    const paths = [host.recordOf(vm.vmId), host.lockOf(vm.vmId), host.addressOf(vm.ip)];
    const files = paths.map((path) => renamed(path, renaming));
    const own = (await filesOf(host, vm)).map((line) => renamed(line, renaming));
    lines = [...lines.map((line) => withoutDigest(renamed(line, renaming), files)), ...own];
  }
  return lines.sort();
}

/** Of files whose text is looked at itself; host-local gives them another mode than we do. */
function withoutDigest(line: string, files: readonly string[]): string {
  const [, path = ''] = line.split(' ');
  return line.startsWith('file ') && files.includes(path) ? `file ${path}` : line;
}

/** What `whole` has besides. */
export function difference(whole: readonly string[], part: readonly string[]): readonly string[] {
  const left = [...whole];
  for (const line of part) {
    const at = left.indexOf(line);
    if (at !== -1) left.splice(at, 1);
  }
  return left;
}

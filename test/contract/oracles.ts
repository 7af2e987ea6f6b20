import { until } from '../support/lab.ts';
import { ip, nft, outcomeOf, runIn, tc } from '../support/run.ts';

/** What `ip` and `tc` say, as far as tests look at it. */

export interface LinkSeen {
  readonly ifname: string;
  readonly address: string;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly linkmode?: string;
  readonly master?: string;
  readonly ifalias?: string;
  readonly linkinfo?: {
    readonly info_kind: string;
    readonly info_data?: Readonly<Record<string, unknown>>;
    readonly info_slave_data?: Readonly<Record<string, unknown>>;
  };
}

interface AddressSeen {
  readonly addr_info: readonly {
    readonly family: string;
    readonly local: string;
    readonly prefixlen: number;
    readonly scope: string;
  }[];
}

const ask = (netns: string | null, file: string, ...args: readonly string[]): Promise<string> =>
  netns === null ? (file === 'ip' ? ip(...args) : tc(...args)) : runIn(netns, file, ...args);

async function json<T>(
  netns: string | null,
  file: string,
  ...args: readonly string[]
): Promise<readonly T[]> {
  const text = await ask(netns, file, ...args);
  return text.trim() === '' ? [] : (JSON.parse(text) as T[]);
}

export function linksOf(netns: string | null): Promise<readonly LinkSeen[]> {
  return json(netns, 'ip', '-d', '-j', 'link', 'show');
}

export async function linkOf(netns: string | null, name: string): Promise<LinkSeen> {
  const link = (await linksOf(netns)).find(({ ifname }) => ifname === name);
  if (link === undefined) throw new Error(`there is no link ${name}`);
  return link;
}

/** In CIDR form, those of the kernel's own making left out. */
export async function addressesOf(netns: string | null, name: string): Promise<readonly string[]> {
  const [link] = await json<AddressSeen>(netns, 'ip', '-j', 'address', 'show', 'dev', name);
  return (link?.addr_info ?? [])
    .filter(({ scope }) => scope === 'global')
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
}

export function defaultRoutes(
  netns: string,
): Promise<readonly { readonly gateway: string; readonly dev: string }[]> {
  return json(netns, 'ip', '-j', 'route', 'show', 'default');
}

interface FilterSeen {
  readonly kind: string;
  readonly options?: { readonly actions?: readonly { readonly kind: string; readonly to_dev: string }[] };
}

/** Where the link's ingress sends everything, or `null`. */
export async function redirectOf(netns: string, name: string): Promise<string | null> {
  const filters = await json<FilterSeen>(netns, 'tc', '-j', 'filter', 'show', 'dev', name, 'ingress');
  const actions = filters.flatMap(({ options }) => options?.actions ?? []);
  return actions.find(({ kind }) => kind === 'mirred')?.to_dev ?? null;
}

/** Waits until the kernel has freed all but these of the {@link hostLinks}. */
export async function untilHostLinks(...aliases: readonly string[]): Promise<void> {
  const left = async () => (await hostLinks()).map(({ ifalias }) => ifalias ?? '');
  await until(`no links but ${aliases}`, async () => `${await left()}` === `${aliases}`);
}

/** The host's ends of attachments, by what their aliases say. */
export async function hostLinks(): Promise<readonly LinkSeen[]> {
  const links = await linksOf(null);
  return links.filter(({ ifalias = '' }) => ifalias.startsWith('vulcan-net '));
}

/** Of a bridge's port. */
export const portStateOf = ({ linkinfo }: LinkSeen): unknown => linkinfo?.info_slave_data?.['state'];

/** From then on no change of a carrier that the kernel has yet to look at brings a port up again. */
export const untilForwarding = (): Promise<void> =>
  until('the ports', async () => (await hostLinks()).every((link) => portStateOf(link) === 'forwarding'));

/** Takes the link down and up, time and again; who does not hold the namespace any more has none. */
export async function flip(netns: string, link: string): Promise<void> {
  const input = `link set ${link} down\nlink set ${link} up\n`.repeat(20);
  await outcomeOf('nsenter', [`--net=${netns}`, '--', 'ip', '-force', '-batch', '-'], { input });
}

interface RouteSeen {
  readonly dst: string;
  readonly dev?: string;
  readonly type?: string;
  readonly prefsrc?: string;
}

/** Routes of the library's own. */
export const ownRoutes = () => json<RouteSeen>(null, 'ip', '-j', 'route', 'show', 'proto', '118');
/** Those of them that lead to VMs. */
export const vmRoutes = async () => (await ownRoutes()).filter(({ type }) => type === undefined);

/** Every rule there is, by its handle. */
export async function rules(): Promise<readonly string[]> {
  const lines = (await nft('--handle', 'list', 'ruleset')).split('\n');
  return lines.filter((line) => /accept|drop|goto|jump|masquerade/.test(line));
}

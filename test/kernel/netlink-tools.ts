import type { AddressInfo, FilterInfo, LinkInfo, QdiscInfo, RouteInfo } from '../../lib/native/netlink.ts';
import { run, runIn } from '../support/run.ts';

/** What `ip` and `tc` tell, in the addon's words. */

interface LinkJson {
  readonly ifindex: number;
  readonly ifname: string;
  readonly address: string;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly ifalias?: string;
  readonly linkmode: string;
  /** By -N, a number. */
  readonly group: string;
  readonly linkinfo?: {
    readonly info_kind?: string;
    readonly info_data?: { readonly user?: string; readonly group?: string };
    readonly info_slave_data?: {
      readonly state: string;
      readonly hairpin?: boolean;
      readonly group_fwd_mask?: string;
      readonly isolated?: boolean;
    };
  };
}

interface AddressJson {
  readonly family: string;
  readonly local: string;
  readonly prefixlen: number;
  readonly scope: string;
}

interface RouteJson {
  readonly dst: string;
  readonly gateway?: string;
  readonly dev: string;
  readonly table?: string;
  readonly protocol?: string;
  readonly type?: string;
  readonly metric?: number;
}

interface QdiscJson {
  readonly kind: string;
  readonly dev: string;
  readonly handle: string;
  readonly root?: boolean;
  readonly parent?: string;
}

interface FilterJson {
  readonly kind: string;
  readonly pref: number;
  readonly ingress?: boolean;
  readonly options?: { readonly actions?: readonly { readonly to_dev: string }[] };
}

export type Indexes = ReadonlyMap<string, number>;

const tables: Readonly<Record<string, number>> = { main: 254, local: 255 };
const types: Readonly<Record<string, number>> = {
  ...{ unicast: 1, local: 2, broadcast: 3, anycast: 4, multicast: 5 },
  ...{ blackhole: 6, unreachable: 7 },
};
const protocols: Readonly<Record<string, number>> = { kernel: 2, boot: 3, static: 4 };
const scopes: Readonly<Record<string, number>> = { global: 0, link: 253, host: 254 };
const portStates: Readonly<Record<string, number>> = { disabled: 0, forwarding: 3 };

function handleOf(text: string): number {
  const [major, minor] = text.split(':');
  return Number.parseInt(major || '0', 16) * 0x1_0000 + Number.parseInt(minor || '0', 16);
}

/** The tools in a namespace, or here. */
export class Tools {
  readonly #netns: string | undefined;

  constructor(netns?: string) {
    this.#netns = netns;
  }

  async #ask<T>(file: string, ...args: readonly string[]): Promise<readonly T[]> {
    const text = await (this.#netns === undefined ? run(file, args) : runIn(this.#netns, file, ...args));
    return JSON.parse(text) as T[];
  }

  /** But for `master` and `peer`, which `ip` tells by names, or not at all. */
  async links(): Promise<Omit<LinkInfo, 'master' | 'peer'>[]> {
    const links = await this.#ask<LinkJson>('ip', '-d', '-j', '-N', 'link');
    return links.map(({ linkinfo, ...link }) => ({
      index: link.ifindex,
      name: link.ifname,
      kind: linkinfo?.info_kind ?? '',
      mac: link.address,
      mtu: link.mtu,
      up: link.flags.includes('UP'),
      lowerUp: link.flags.includes('LOWER_UP'),
      alias: link.ifalias ?? '',
      group: Number(link.group),
      portState: portStates[linkinfo?.info_slave_data?.state ?? ''] ?? -1,
      dormant: link.linkmode === 'DORMANT',
      // Of a link that is up and not running, ip says that it has no carrier.
      rising:
        link.flags.includes('LOWER_UP') && link.flags.includes('NO-CARRIER') && link.linkmode !== 'DORMANT',
      hairpin: linkinfo?.info_slave_data?.hairpin ?? false,
      isolated: linkinfo?.info_slave_data?.isolated ?? false,
      guestPort: linkinfo?.info_slave_data?.group_fwd_mask === '0xfffd',
      tapUid: Number(linkinfo?.info_data?.user ?? -1),
      tapGid: Number(linkinfo?.info_data?.group ?? -1),
    }));
  }

  async addresses(): Promise<AddressInfo[]> {
    const links = await this.#ask<{ ifindex: number; addr_info: AddressJson[] }>('ip', '-j', 'addr');
    return links.flatMap(({ ifindex, addr_info }) =>
      addr_info.map(({ family, local, prefixlen, scope }) => ({
        link: ifindex,
        family: family === 'inet' ? 4 : 6,
        ip: local,
        prefixLength: prefixlen,
        scope: scopes[scope] ?? Number.NaN,
      })),
    );
  }

  async routes(indexes: Indexes): Promise<RouteInfo[]> {
    return [...(await this.#routes(4, indexes)), ...(await this.#routes(6, indexes))];
  }

  async #routes(family: 4 | 6, indexes: Indexes): Promise<RouteInfo[]> {
    const routes = await this.#ask<RouteJson>('ip', `-${family}`, '-j', 'route', 'show', 'table', 'all');
    const [any, bits] = family === 4 ? ['0.0.0.0/0', 32] : ['::/0', 128];
    const destinationOf = (dst: string) => (dst.includes('/') ? dst : `${dst}/${bits}`);
    return routes.map(
      ({ dst, gateway, dev, table = 'main', protocol = 'boot', type = 'unicast', metric = 0 }) => ({
        family,
        destination: dst === 'default' ? any : destinationOf(dst),
        gateway: gateway ?? null,
        link: indexes.get(dev) ?? 0,
        table: tables[table] ?? Number.NaN,
        protocol: protocols[protocol] ?? Number.NaN,
        type: types[type] ?? Number.NaN,
        metric,
      }),
    );
  }

  async qdiscs(indexes: Indexes): Promise<QdiscInfo[]> {
    const qdiscs = await this.#ask<QdiscJson>('tc', '-j', 'qdisc', 'show');
    return qdiscs.map(({ kind, dev, handle, parent = '' }) => ({
      link: indexes.get(dev) ?? 0,
      kind,
      handle: handleOf(handle),
      // The root's parent is TC_H_ROOT.
      parent: parent === '' ? 0xffff_ffff : handleOf(parent),
    }));
  }

  async filters(device: string, indexes: Indexes): Promise<FilterInfo[]> {
    const filters = await this.#ask<FilterJson>(
      'tc',
      '-j',
      'filter',
      'show',
      'dev',
      device,
      'parent',
      'ffff:',
    );
    return filters.map(({ kind, pref, ingress, options }) => ({
      link: indexes.get(device) ?? 0,
      kind,
      // As it was added: at the ingress hook, or by the qdisc's handle.
      parent: ingress === true ? 0xffff_fff2 : 0xffff_0000,
      priority: pref,
      // ETH_P_ALL.
      protocol: 3,
      redirectTo: indexes.get(options?.actions?.[0]?.to_dev ?? '') ?? 0,
    }));
  }
}

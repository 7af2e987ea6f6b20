import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { NetworkError } from '../errors.ts';
import type { NativeBinding } from '../native/binding.ts';
import type { NativeError } from '../native/error.ts';
import type { NetworkDns, NetworkRoute } from '../types.ts';
import { encodeMap, isJsonObject } from './json.ts';
import { parseJson } from './protocol.ts';
import type { JsonObject } from './types.ts';

/** The conflist of a network that the user described in a few words, and its file. */

export interface GeneratedNetwork {
  readonly name: string;
  readonly cniVersion: string;
  readonly bridge: string;
  /** How many there may be; absent: that one. A key of this library's own, which plugins take no notice of. */
  readonly bridgeCount?: number;
  /** Whether no link is a port of it: it has the gateway's address, and the host routes. A key of this library's own, too. */
  readonly routed?: boolean;
  /** 0: the kernel's default. */
  readonly mtu: number;
  /** One address range for each subnet; the guest gets an address of each. */
  readonly subnets: readonly {
    readonly subnet: string;
    readonly gateway: string;
    /** The parts of it that guests get addresses of. Default: all. */
    readonly ranges?: readonly { readonly start: string; readonly end: string }[];
  }[];
  readonly hairpin?: boolean;
  readonly isolated?: boolean;
  readonly promiscuous?: boolean;
  /** Default: a default route of each family. */
  readonly routes?: readonly NetworkRoute[];
  readonly dns?: NetworkDns;
  /** Where host-local keeps its addresses. */
  readonly dataDir: string;
}

const generator = 'vulcan-net';

const isIpv6 = (subnet: string) => subnet.includes(':');

function defaultRoutes(subnets: GeneratedNetwork['subnets']): readonly NetworkRoute[] {
  const families = new Set(subnets.map(({ subnet }) => isIpv6(subnet)));
  return [...families].map((ipv6) => ({ destination: ipv6 ? '::/0' : '0.0.0.0/0', gateway: null }));
}

function rangeSet({ subnet, gateway, ranges = [] }: GeneratedNetwork['subnets'][number]): JsonObject[] {
  if (ranges.length === 0) return [{ subnet, gateway }];
  return ranges.map(({ start, end }) => ({ subnet, rangeStart: start, rangeEnd: end, gateway }));
}

/** The keys of the CNI's `dns` that say something. */
function dnsOf({ nameservers, domain, search, options }: NetworkDns): JsonObject {
  const lists = Object.entries({ nameservers, search, options }).filter(([, list]) => list.length > 0);
  return { ...(domain === null ? {} : { domain }), ...Object.fromEntries(lists) };
}

/**
 * The default route comes from the address plugin: `isDefaultGateway` would add it a second time, and fail. No
 * masquerade: the library's own table does it for the whole network.
 */
function contentOf(network: GeneratedNetwork): JsonObject {
  const { name, cniVersion, bridge, mtu, subnets, dataDir } = network;
  const routes = network.routes ?? defaultRoutes(subnets);
  const dns = network.dns === undefined ? {} : dnsOf(network.dns);
  return {
    cniVersion,
    name,
    plugins: [
      {
        type: 'bridge',
        bridge,
        ...(network.bridgeCount === undefined ? {} : { bridgeCount: network.bridgeCount }),
        ...(network.routed === true ? { routed: true } : {}),
        isGateway: true,
        ...(mtu === 0 ? {} : { mtu }),
        ...(network.hairpin === true ? { hairpinMode: true } : {}),
        ...(network.isolated === true ? { portIsolation: true } : {}),
        ...(network.promiscuous === true ? { promiscMode: true } : {}),
        capabilities: { mac: true, ips: true },
        ...(Object.keys(dns).length === 0 ? {} : { dns }),
        ipam: {
          type: 'host-local',
          ranges: subnets.map(rangeSet),
          routes: routes.map(({ destination, gateway }) => ({
            dst: destination,
            ...(gateway === null ? {} : { gw: gateway }),
          })),
          dataDir,
        },
      },
      { type: 'tc-redirect-tap' },
    ],
  };
}

function digestOf(content: JsonObject): string {
  return createHash('sha256').update(encodeMap(content)).digest('hex');
}

/** The mark tells this library's file from one that someone wrote, or edited: its digest is of all the rest. */
export function generateConfList(network: GeneratedNetwork): string {
  const content = contentOf(network);
  const generated = { by: generator, sha256: digestOf(content) };
  return `${JSON.stringify({ ...content, generated }, null, 2)}\n`;
}

/** Whether the text is as this library once wrote it, layout aside. */
export function isGenerated(text: string): boolean {
  const json = parseJson(text);
  if (!json.ok || !isJsonObject(json.value)) return false;
  const { generated, ...content } = json.value;
  if (!isJsonObject(generated) || generated['by'] !== generator) return false;
  return generated['sha256'] === digestOf(content);
}

export type ConfStore = Pick<NativeBinding, 'directoryEnsure' | 'fileRead' | 'fileWrite'>;

const sizeLimit = 1024 * 1024;

async function readExisting(store: ConfStore, directory: string, name: string): Promise<string | null> {
  try {
    return await store.fileRead({ directory, name, limit: sizeLimit });
  } catch (error) {
    const { code, message } = error as NativeError;
    if (code !== 'ELOOP' && code !== 'EFBIG' && code !== 'EISDIR') throw error;
    const path = join(directory, name);
    throw new NetworkError('ERR_CONFLIST_FOREIGN', `${path}: ${message}`, { path, cause: error });
  }
}

/**
 * Writes `<confDir>/<network>.conflist` when it is not there or differs, never over a file that is not this library's.
 * Resolves with whether it wrote.
 */
export async function writeConfList(
  store: ConfStore,
  confDir: string,
  network: GeneratedNetwork,
): Promise<boolean> {
  const [name, data] = [`${network.name}.conflist`, generateConfList(network)];
  const path = join(confDir, name);
  try {
    await store.directoryEnsure({ path: confDir, mode: 0o755 });
    const existing = await readExisting(store, confDir, name);
    if (existing === data) return false;
    if (existing !== null && !isGenerated(existing)) {
      const message = `${path} was written or edited by someone else; it is left as it is`;
      throw new NetworkError('ERR_CONFLIST_FOREIGN', message, { path });
    }
    await store.fileWrite({ directory: confDir, name, data, mode: 0o644 });
    return true;
  } catch (error) {
    if (error instanceof NetworkError) throw error;
    const { message, errno, syscall } = error as NativeError;
    const fields = { path, cause: error, errno, syscall };
    throw new NetworkError('ERR_CONFLIST_WRITE', `${path} cannot be written: ${message}`, fields);
  }
}

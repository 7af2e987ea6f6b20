import { parseCidr } from '../address.ts';
import { nativeFailure } from '../cni/native-failure.ts';
import { protocolNumbers } from '../firewall.ts';
import type { FirewallNetwork } from '../native/engine.ts';
import type { NativeError } from '../native/error.ts';
import type { ForeignChain } from '../native/host.ts';
import type { VerifyFinding } from '../types.ts';
import { finding } from './findings.ts';
import { unreadable, type VerifyBinding } from './subject.ts';

/** Chains of others that drop what guests send or get: an accept of ours ends only our own chains. */

/** By the family of their chains. */
const iptables: Readonly<Record<string, string>> = {
  legacy: 'iptables-legacy',
  ip: 'iptables-nft',
  ip6: 'ip6tables-nft',
};

const isIptables = ({ family, table, chain, hook }: ForeignChain): boolean =>
  family in iptables && table === 'filter' && chain === (hook === 'forward' ? 'FORWARD' : 'INPUT');

/** A wildcard for what begins like the first and a dash, as the bridges of one network do, where all the others do. */
function bridgePatterns([first = '', ...others]: readonly string[], wildcard: string): readonly string[] {
  const next = `${first}-`;
  const isSeries = others.length > 1 && others.every((name) => name.startsWith(next));
  return [first, ...(isSeries ? [`${next}${wildcard}`] : others)];
}

/** Guests are known by their addresses where they come through no bridge; nft knows the group of their links, iptables may not. */
function subnetsOf({ subnets }: FirewallNetwork, family: string): readonly { cidr: string; is6: boolean }[] {
  const all = subnets.map((cidr) => ({ cidr, is6: parseCidr(cidr)?.address.family === 6 }));
  return all.filter(({ is6 }) => family === 'inet' || is6 === (family === 'ip6'));
}

/** What guests get is forwarded, too; to the host comes what they send. */
const waysOf = ({ hook }: ForeignChain, from: string, to: string): readonly string[] =>
  hook === 'forward' ? [from, to] : [from];

function iptablesMatches(found: ForeignChain, firewall: FirewallNetwork): readonly string[] {
  const { bridges, group } = firewall;
  if (group === undefined && bridges.length > 0) {
    return bridgePatterns(bridges, '+').flatMap((link) => waysOf(found, `-i ${link}`, `-o ${link}`));
  }
  return subnetsOf(firewall, found.family).flatMap(({ cidr }) => waysOf(found, `-s ${cidr}`, `-d ${cidr}`));
}

function nftMatches(found: ForeignChain, firewall: FirewallNetwork): readonly string[] {
  const { bridges, group } = firewall;
  if (group !== undefined) return waysOf(found, `iifgroup ${group}`, `oifgroup ${group}`);
  if (bridges.length === 0) {
    return subnetsOf(firewall, found.family).flatMap(({ cidr, is6 }) => {
      const ip = is6 ? 'ip6' : 'ip';
      return waysOf(found, `${ip} saddr ${cidr}`, `${ip} daddr ${cidr}`);
    });
  }
  // What a bridge forwards leaves by that bridge, too; `iifname` is the port there.
  const keys = found.family === 'bridge' ? ['ibrname'] : waysOf(found, 'iifname', 'oifname');
  return bridgePatterns(bridges, '*').flatMap((bridge) => keys.map((key) => `${key} "${bridge}"`));
}

/** What iptables' multiport takes at most. */
const mostPorts = 15;

function iptablesPorts(protocol: string, ports: readonly number[]): readonly string[] {
  if (ports.length === 1) return [` -p ${protocol} --dport ${ports[0]}`];
  const parts = Array.from({ length: Math.ceil(ports.length / mostPorts) }, (_, index) =>
    ports.slice(index * mostPorts, (index + 1) * mostPorts),
  );
  return parts.map((part) => ` -p ${protocol} -m multiport --dports ${part.join()}`);
}

const nftPorts = (protocol: string, ports: readonly number[]): readonly string[] => [
  ` ${protocol} dport ${ports.length === 1 ? ports[0] : `{ ${ports.join(', ')} }`}`,
];

/** What is to be accepted of what guests send; frames of a bridge's carry ARP as well. */
function servicesOf({ hook, family }: ForeignChain, { hostAccess }: FirewallNetwork, write: typeof nftPorts) {
  if (hook === 'forward' || hostAccess === 'all' || family === 'bridge') return [''];
  return Object.entries(protocolNumbers).flatMap(([protocol, number]) => {
    const ports = hostAccess.flatMap((service) => (service.protocol === number ? [service.port] : []));
    return ports.length === 0 ? [] : write(protocol, ports);
  });
}

/** Rules that let a network's guests through the chain; empty where nothing is known that tells them from others. */
function accepting(found: ForeignChain, firewall: FirewallNetwork): string {
  const { family, table, hook } = found;
  const chain = hook === 'forward' && found.dockerUser ? 'DOCKER-USER' : found.chain;
  const rules = (matches: readonly string[], write: typeof nftPorts) =>
    matches.flatMap((match) => servicesOf(found, firewall, write).map((service) => `${match}${service}`));
  if (isIptables(found)) {
    return rules(iptablesMatches(found, firewall), iptablesPorts)
      .map((match) => `${iptables[family]} -I ${chain} ${match} -j ACCEPT`)
      .join(' && ');
  }
  const inserts = rules(nftMatches(found, firewall), nftPorts).map(
    (match) => `insert rule ${family} ${table} ${chain} ${match} accept`,
  );
  return inserts.length === 0 ? '' : `nft '${inserts.join('; ')}'`;
}

function foreignDrop(found: ForeignChain, firewall: FirewallNetwork): VerifyFinding {
  const { family, table, chain, hook, bridged } = found;
  const scope = bridged ? 'also between guests of one bridge' : 'of guests to the outside';
  const [what, accepted] =
    hook === 'forward'
      ? [`what is forwarded, ${scope},`, 'guests send and get']
      : ['what comes to the host, of guests to what hostAccess lists, too,', 'hostAccess lists'];
  const message = `chain ${chain} of table ${family} ${table} drops ${what} unless a rule of its own accepts it`;
  const commands = accepting(found, firewall);
  const remedy = `accept there what ${accepted}${commands === '' ? '' : `: ${commands}`}`;
  return finding(`${hook}.foreign-drop`, message, remedy);
}

/** Whether the network's guests send what passes the chain, and may. */
function isMet(
  { family, hook }: ForeignChain,
  { subnets, ipv6, group, hostAccess }: FirewallNetwork,
): boolean {
  if (hook === 'input' && hostAccess.length === 0) return false;
  // Of a routed network nothing is bridged.
  if (family === 'bridge') return group === undefined;
  if (family === 'ip6') return ipv6;
  return family === 'inet' || subnets.length === 0 || subnets.some((cidr) => !cidr.includes(':'));
}

interface ForeignSubject {
  readonly binding: Pick<VerifyBinding, 'foreignChains' | 'legacyForeignChains'>;
  readonly firewall: FirewallNetwork;
}

const notAllowed: ReadonlySet<string> = new Set(['EPERM', 'EACCES']);

/** Each kind by itself: who may not look at one may look at the other. */
export async function verifyForeignChains({ binding, firewall }: ForeignSubject): Promise<VerifyFinding[]> {
  const unseen: VerifyFinding[] = [];
  const chains = await binding.foreignChains({}).catch((error: NativeError) => {
    // The want of privilege, or of nf_tables, is a finding already.
    if (unreadable.has(error.code)) return [];
    throw nativeFailure(error, { step: 'verify' });
  });
  const legacy = await binding.legacyForeignChains({}).catch((error: NativeError) => {
    if (!notAllowed.has(error.code)) throw nativeFailure(error, { step: 'verify' });
    const message = `this process may not look at iptables-legacy (${error.message}), which may drop what guests send or get`;
    unseen.push(finding('forward.unseen', message, 'see what root gets of iptables-legacy -S'));
    return [];
  });
  const dropping = [...chains, ...legacy].filter((chain) => chain.drops && isMet(chain, firewall));
  return [...dropping.map((chain) => foreignDrop(chain, firewall)), ...unseen];
}

import { parseCidr } from '../address.ts';
import { nativeFailure } from '../cni/native-failure.ts';
import type { FirewallNetwork } from '../native/engine.ts';
import type { NativeError } from '../native/error.ts';
import type { ForwardChain } from '../native/host.ts';
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

const isIptables = ({ family, table, chain }: ForwardChain): boolean =>
  family in iptables && table === 'filter' && chain === 'FORWARD';

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

function iptablesMatches(firewall: FirewallNetwork, family: string): readonly string[] {
  const { bridges, group } = firewall;
  if (group === undefined && bridges.length > 0) {
    return bridgePatterns(bridges, '+').flatMap((link) => [`-i ${link}`, `-o ${link}`]);
  }
  return subnetsOf(firewall, family).flatMap(({ cidr }) => [`-s ${cidr}`, `-d ${cidr}`]);
}

function nftMatches(firewall: FirewallNetwork, family: string): readonly string[] {
  const { bridges, group } = firewall;
  if (group !== undefined) return [`iifgroup ${group}`, `oifgroup ${group}`];
  if (bridges.length === 0) {
    return subnetsOf(firewall, family).flatMap(({ cidr, is6 }) =>
      ['saddr', 'daddr'].map((key) => `${is6 ? 'ip6' : 'ip'} ${key} ${cidr}`),
    );
  }
  // What a bridge forwards leaves by that bridge, too; `iifname` is the port there.
  const keys = family === 'bridge' ? ['ibrname'] : ['iifname', 'oifname'];
  return bridgePatterns(bridges, '*').flatMap((bridge) => keys.map((key) => `${key} "${bridge}"`));
}

/** Rules that let a network's guests through the chain; empty where nothing is known that tells them from others. */
function accepting(found: ForwardChain, firewall: FirewallNetwork): string {
  const { family, table } = found;
  const chain = found.dockerUser ? 'DOCKER-USER' : found.chain;
  if (isIptables(found)) {
    return iptablesMatches(firewall, family)
      .map((match) => `${iptables[family]} -I ${chain} ${match} -j ACCEPT`)
      .join(' && ');
  }
  const rules = nftMatches(firewall, family).map(
    (match) => `insert rule ${family} ${table} ${chain} ${match} accept`,
  );
  return rules.length === 0 ? '' : `nft '${rules.join('; ')}'`;
}

function foreignDrop(found: ForwardChain, firewall: FirewallNetwork): VerifyFinding {
  const { family, table, chain, bridged } = found;
  const scope = bridged ? 'also between guests of one bridge' : 'of guests to the outside';
  const message = `chain ${chain} of table ${family} ${table} drops what is forwarded, ${scope}, unless a rule of its own accepts it`;
  const commands = accepting(found, firewall);
  const remedy = `accept there what guests send and get${commands === '' ? '' : `: ${commands}`}`;
  return finding('forward.foreign-drop', message, remedy);
}

interface ForwardSubject {
  readonly binding: Pick<VerifyBinding, 'forwardChains' | 'legacyForwardChains'>;
  readonly firewall: FirewallNetwork;
}

const notAllowed: ReadonlySet<string> = new Set(['EPERM', 'EACCES']);

/** Each kind by itself: who may not look at one may look at the other. */
export async function verifyForwardChains({ binding, firewall }: ForwardSubject): Promise<VerifyFinding[]> {
  const unseen: VerifyFinding[] = [];
  const chains = await binding.forwardChains({}).catch((error: NativeError) => {
    // The want of privilege, or of nf_tables, is a finding already.
    if (unreadable.has(error.code)) return [];
    throw nativeFailure(error, { step: 'verify' });
  });
  const legacy = await binding.legacyForwardChains({}).catch((error: NativeError) => {
    if (!notAllowed.has(error.code)) throw nativeFailure(error, { step: 'verify' });
    const message = `this process may not look at iptables-legacy (${error.message}), which may drop what is forwarded`;
    unseen.push(finding('forward.unseen', message, 'see what root gets of iptables-legacy -S FORWARD'));
    return [];
  });
  // Of a routed network nothing is bridged.
  const met = chains.filter(({ family }) => firewall.group === undefined || family !== 'bridge');
  const dropping = [...met, ...legacy].filter(({ drops }) => drops);
  return [...dropping.map((chain) => foreignDrop(chain, firewall)), ...unseen];
}

import type { CacheRecord } from '../../cni/types.ts';
import { setOf } from '../../ipam.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { LinkInfo } from '../../native/netlink.ts';
import type { Scope } from '../../operation.ts';
import { guard, guardedPort, isGuarded } from '../attachment/guard.ts';
import { recordedAddresses } from '../attachment/network-config.ts';
import { aliasOf, givenName, type HostLinks, hostLinkName, noPort, portDisabled } from '../host/host-link.ts';
import { addressStoreOf, ownerOf } from '../network/addresses.ts';
import type { NativeLayout } from '../network/layout.ts';
import type { Runtime } from '../network/runtime.ts';
import type { BridgePort } from './bridge.ts';
import { beyondRepair, type Finding, onHost } from './finding.ts';
import type { HostReading } from './host-reading.ts';

/** What of an attachment's host side is not as its setup left it. */

const addressFileLimit = 4096;

/** What the host's link was given by its setup; `null` where nobody here knows, or there is none. */
export interface Given {
  readonly group: number | null;
  readonly port: BridgePort | null;
  readonly mtu: number | null;
}

/** The host's link: there, up, its bridge's port or in its network's group, not cut, with its name, alias and MTU. */
export function inspectLink(
  runtime: Runtime,
  record: CacheRecord,
  links: HostLinks,
  { group, port, mtu }: Given,
): readonly Finding[] {
  const link = links.of(record);
  if (link === null) {
    const hadNone = record.result !== null && hostLinkName(record) === null;
    return hadNone ? [] : [beyondRepair('link', 'the link on the host is gone')];
  }
  const { dormant } = link;
  const given = givenName(record, link);
  const name = given ?? link.name;
  const set = (change: object) => () => atStep('link', () => runtime.binding.linkSet({ name, ...change }));
  const findings: Finding[] = [];
  if (given !== null) {
    // First: what else is put back goes by the name.
    const rename = { name: link.name, newName: given };
    const again = () => atStep('link', () => runtime.binding.linkSet(rename));
    findings.push(onHost('link', `${given} was renamed to ${link.name}`, again));
  }
  // Under what bridges know as down and as dormant their ports are disabled, too.
  if (!link.up) findings.push(onHost('link', `${name} is down`, set({ up: true })));
  const isDisabled = link.up && !link.rising && link.portState === portDisabled;
  if (link.portState !== noPort && (dormant || isDisabled)) {
    const message = `${name} is a ${dormant ? 'dormant' : 'disabled'} port of its bridge`;
    findings.push(onHost('link', message, set({ cut: false })));
  }
  const alias = aliasOf(record);
  if (link.alias !== alias) {
    findings.push(onHost('alias', `${name} does not say whose it is`, set({ alias })));
  }
  if (mtu !== null && link.mtu !== mtu) {
    findings.push(onHost('mtu', `${name} has an MTU of ${link.mtu} instead of ${mtu}`, set({ mtu })));
  }
  if (link.portState !== noPort && !link.guestPort) {
    const message = `${name} is no port for a guest: frames to 01:80:c2:00:00:0X, or all once its bridge is gone, get to the host unseen`;
    findings.push(onHost('guard', message, set({ guestPort: true })));
  }
  if (port !== null) findings.push(...inspectPort(runtime, { ...link, name }, links, port));
  if (group === null || link.group === group) return findings;
  const message = `${name} is in group ${link.group} instead of ${group}, by which the firewall knows it`;
  return [...findings, onHost('link', message, set({ group }))];
}

function inspectPort(
  { binding }: Runtime,
  { name, master, ...link }: LinkInfo,
  links: HostLinks,
  { bridge, hairpin, isolated, isSure }: BridgePort,
): readonly Finding[] {
  const there = links.all.find((each) => each.kind === 'bridge' && each.name === bridge);
  const setOptions = () => binding.linkSet({ name, hairpin, isolated });
  if (there !== undefined && there.index === master) {
    if (!isSure || (link.hairpin === hairpin && link.isolated === isolated)) return [];
    const message = `${name} is a port of ${bridge} with other options: ${optionsText(link)} instead of ${optionsText({ hairpin, isolated })}`;
    return [onHost('bridge', message, () => atStep('bridge', setOptions))];
  }
  const join = async () => {
    await binding.linkSet({ name, master: bridge });
    await setOptions();
    await binding.linkSet({ name, up: true });
  };
  return [onHost('bridge', `${name} is no port of ${bridge}`, () => atStep('bridge', join))];
}

const optionsText = ({ hairpin, isolated }: Pick<BridgePort, 'hairpin' | 'isolated'>) =>
  `hairpin ${hairpin ? 'on' : 'off'}, isolated ${isolated ? 'on' : 'off'}`;

/** The rules and the elements by which the guest is held to what it is. */
export async function inspectGuard(
  { binding, network }: Runtime,
  host: HostReading,
  record: CacheRecord,
): Promise<readonly Finding[]> {
  const wanted = network.guarded && record.result !== null ? guardedPort(record, record.result) : null;
  if (wanted === null) return [];
  const rules = await host.guard(wanted.routed === true);
  const port = (await host.guarded()).get(wanted.link);
  if (port !== undefined && isGuarded(wanted, [port])) return rules;
  const message = `what comes in on ${wanted.link} is not held to its address and MAC`;
  return [...rules, onHost('guard', message, () => guard(binding, wanted))];
}

/** The address's file in the store. */
export async function inspectReservation(
  { binding, network }: Runtime,
  record: CacheRecord,
  layout: NativeLayout | null,
  scope: Scope,
): Promise<readonly Finding[]> {
  const directory = addressStoreOf(network);
  if (directory === null) return [];
  const owner = ownerOf(record);
  const findings: Finding[] = [];
  for (const ip of recordedAddresses(record) ?? []) {
    const text = await atStep('reservation', () =>
      binding.fileRead({ directory, name: ip, limit: addressFileLimit }),
    );
    if (text?.trim() === owner) continue;
    const request = setOf(layout?.sets ?? [], ip);
    if (text !== null || request === undefined) {
      const message = text === null ? `${ip} is not reserved` : `${ip} is reserved for somebody else`;
      findings.push(beyondRepair('reservation', message));
      continue;
    }
    const reserve = () =>
      binding.addressReserve({
        ...{ directory, owner, timeoutMs: scope.remainingMs },
        requests: [{ set: request.index, ranges: request.ranges, excluded: [], address: ip }],
      });
    findings.push(onHost('reservation', `${ip} is not reserved`, () => atStep('reservation', reserve)));
  }
  return findings;
}

import { isIpv6Text } from '../../cni/ip-text.ts';
import { slot } from '../../cni/template.ts';
import type { AddressRequest, GatewayOf, ReservedAddress } from '../../native/attachment.ts';

/** What stands in the texts of a network for that in which two setups of it differ. */

const linkSlots = {
  ...{ hostLink: slot('hostLink'), hostMac: slot('hostMac'), mac: slot('mac') },
  ...{ tapName: slot('tapName'), uid: slot('uid'), gid: slot('gid') },
};
const vmSlots = { vmId: slot('vmId'), containerId: slot('containerId') };

/** Of the host's link, and of what is behind it. */
export type LinkNames = Readonly<typeof linkSlots>;
type VmNames = Readonly<typeof vmSlots>;
type Names = LinkNames & VmNames;
/** All that differs, but for the addresses; and where the VM is, which follows from its id. */
export type AttachmentNames = Names & { readonly netns: string };

export const nameSlots: Names = { ...linkSlots, ...vmSlots };

type NameIn<Names> = {
  [Name in keyof Names]: { readonly nameOf: Name };
}[keyof Names];
type NameOf = NameIn<Names>;

/** A name; the number of an address; or what stands for its gateway. */
export type Placeholder = NameOf | number | GatewayOf;

export interface AddressText {
  readonly address: string;
  readonly gateway: string | null;
}
export type AddressTextOf = (index: number, request: AddressRequest) => AddressText;

export const isIpv6 = ({ ranges }: AddressRequest) => isIpv6Text(ranges[0]?.start ?? '');
export const hasGateways = ({ ranges }: AddressRequest) => ranges.every(({ gateway }) => gateway !== null);

const gatewaySlot = 'gateway ';

/** The colon tells IPv6 from IPv4. */
export const addressSlots: AddressTextOf = (index, request) => {
  const name = `${index}${isIpv6(request) ? ':' : ''}`;
  return { address: slot(name), gateway: hasGateways(request) ? slot(`${gatewaySlot}${name}`) : null };
};

export function placeholderOf(slotName: string): Placeholder {
  if (slotName in nameSlots) return { nameOf: slotName } as NameOf;
  if (!slotName.startsWith(gatewaySlot)) return Number.parseInt(slotName, 10);
  return { gatewayOf: Number.parseInt(slotName.slice(gatewaySlot.length), 10) };
}

export function isName(placeholder: Placeholder): placeholder is NameOf {
  return typeof placeholder === 'object' && 'nameOf' in placeholder;
}

export function isVmName(name: NameOf): name is NameIn<VmNames> {
  return name.nameOf in vmSlots;
}

/** Of those that are reserved. */
export function addressText(placeholder: number | GatewayOf, reserved: readonly ReservedAddress[]): string {
  const index = typeof placeholder === 'number' ? placeholder : placeholder.gatewayOf;
  const { ip, prefixLength, gateway } = reserved[index] as ReservedAddress;
  return typeof placeholder === 'number' ? `${ip}/${prefixLength}` : (gateway ?? '');
}

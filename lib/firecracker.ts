import { NetworkError } from './errors.ts';
import { bootFieldRule } from './rules.ts';
import type { NetworkConfig } from './types.ts';

/** What Firecracker eats, from a {@link NetworkConfig}. */

export interface FirecrackerInterfaceOptions {
  /** Default `eth0`. */
  readonly ifaceId?: string | undefined;
  /** Whether to tell the guest its MTU; needs Firecracker 1.16, older ones refuse the field. Default `false`. */
  readonly mtu?: boolean | undefined;
}

/** Body of `PUT /network-interfaces/{iface_id}`. */
export interface FirecrackerInterface {
  readonly iface_id: string;
  readonly guest_mac: string;
  readonly host_dev_name: string;
  readonly mtu?: number;
}

/** One entry of `network_overrides` of `PUT /snapshot/load`; needs Firecracker 1.12. */
export interface FirecrackerNetworkOverride {
  readonly iface_id: string;
  readonly host_dev_name: string;
}

export interface KernelIpOptions {
  /** The guest's name for its interface; default `eth0`. Empty: the kernel takes the first that is up. */
  readonly guestInterface?: string | undefined;
  readonly hostname?: string | undefined;
}

/** The body that gives a VM its interface on `net.tapName`. */
export function firecrackerInterface(
  net: NetworkConfig,
  options: FirecrackerInterfaceOptions = {},
): FirecrackerInterface {
  return {
    iface_id: options.ifaceId ?? 'eth0',
    guest_mac: net.mac,
    host_dev_name: net.tapName,
    ...(options.mtu === true ? { mtu: net.mtu } : {}),
  };
}

/** The overrides that let a snapshot resume on this VM's TAP, whatever the TAP was called when it was taken. */
export function firecrackerNetworkOverrides(
  net: NetworkConfig,
  options: Pick<FirecrackerInterfaceOptions, 'ifaceId'> = {},
): readonly FirecrackerNetworkOverride[] {
  return [{ iface_id: options.ifaceId ?? 'eth0', host_dev_name: net.tapName }];
}

/** `255.255.255.0` for 24. */
function dottedMask(prefixLength: number): string {
  return [24, 16, 8, 0]
    .map(
      (shift) =>
        Number(((2n ** BigInt(prefixLength) - 1n) << BigInt(32 - prefixLength)) >> BigInt(shift)) & 0xff,
    )
    .join('.');
}

function bootField(name: keyof KernelIpOptions, value: string): string {
  const broken = bootFieldRule(value);
  if (broken === null) return value;
  throw new NetworkError('ERR_OPTION_INVALID', `${name} ${JSON.stringify(value)} ${broken}`);
}

/**
 * The kernel's boot argument: `ip=<guest>::<gateway>:<mask>:<hostname>:<interface>:off:<dns1>:<dns2>`, as
 * Documentation/admin-guide/nfs/nfsroot.rst of the kernel has it. The kernel configures the first IPv4 address before init
 * starts; further addresses, routes and search domains are the guest's own business.
 *
 * @throws {NetworkError} `ERR_NO_IPV4` when the VM has no IPv4 address; `ERR_OPTION_INVALID` when an option would end its field,
 * or the argument.
 */
export function kernelIpArgument(net: NetworkConfig, options: KernelIpOptions = {}): string {
  const address = net.addresses.find(({ family }) => family === 4);
  if (address === undefined) {
    throw new NetworkError('ERR_NO_IPV4', `VM ${net.vmId} has no IPv4 address, and ip= knows no other`, {
      vmId: net.vmId,
      network: net.network,
    });
  }
  const servers = net.dns.nameservers.filter((server) => !server.includes(':')).slice(0, 2);
  const fields = [
    address.ip,
    '',
    address.gateway ?? '',
    dottedMask(address.prefixLength),
    bootField('hostname', options.hostname ?? ''),
    bootField('guestInterface', options.guestInterface ?? 'eth0'),
    'off',
    ...servers,
  ];
  return `ip=${fields.join(':')}`;
}

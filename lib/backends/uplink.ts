import type { NativeBinding } from '../native/binding.ts';
import { atStep } from './kernel-error.ts';

export const ethernetMtu = 1500;

/** The MTU of the link that the host's default route leaves by: what guests can send without fragments. */
export async function uplinkMtu(binding: Pick<NativeBinding, 'dump'>): Promise<number> {
  const { links, routes } = await atStep('uplink', () => binding.dump({ kinds: ['links', 'routes'] }));
  const route =
    routes.find(({ destination }) => destination === '0.0.0.0/0') ??
    routes.find(({ destination }) => destination === '::/0');
  return links.find(({ index }) => index === route?.link)?.mtu ?? ethernetMtu;
}

import type { NativeBinding } from '../../native/binding.ts';
import { atStep } from '../../native/kernel-error.ts';
import { mainRoutes, wayOut } from './ways-out.ts';

export const ethernetMtu = 1500;

/** The MTU of the link that the host's default route leaves by: what guests can send without fragments. */
export async function uplinkMtu(binding: Pick<NativeBinding, 'dump'>): Promise<number> {
  const { links, routes } = await atStep('uplink', () => binding.dump({ kinds: ['links', 'routes'] }));
  const route = wayOut(mainRoutes(routes));
  return links.find(({ index }) => index === route?.link)?.mtu ?? ethernetMtu;
}

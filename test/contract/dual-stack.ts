import { writeFile } from 'node:fs/promises';

/** A conflist whose VMs have an IPv4 and an IPv6 address: 10.9.0.2 and fd79::2 are those of the first. */
export async function writeDualStack(): Promise<string> {
  const path = '/etc/cni/dual.conflist';
  const ranges = [[{ subnet: '10.9.0.0/24' }], [{ subnet: 'fd79::/64' }]];
  const ipam = { type: 'host-local', dataDir: '/run/cni/networks', ranges };
  const bridge = { type: 'bridge', bridge: 'dual0', isGateway: true, ipam };
  const plugins = [bridge, { type: 'tc-redirect-tap' }];
  await writeFile(path, JSON.stringify({ cniVersion: '1.0.0', name: 'dual', plugins }));
  return path;
}

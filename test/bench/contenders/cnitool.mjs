import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { feed } from '../feed.mjs';

const run = promisify(execFile);

const chainOf = (network, bridge, subnet) => ({
  cniVersion: '1.0.0',
  name: network,
  plugins: [
    {
      type: 'bridge',
      bridge,
      isGateway: true,
      ipam: { type: 'host-local', subnet, dataDir: '/run/cni/networks', routes: [{ dst: '0.0.0.0/0' }] },
    },
    { type: 'tc-redirect-tap' },
  ],
});

/**
 * The chain by cnitool. Its namespaces are made before and removed after the timed part: cnitool is measured for the
 * chain alone, while all others make the namespace as well.
 */
export async function cnitoolContender(name, { cnitool, pluginDirs, network, bridge, subnet, workDir }) {
  await mkdir(workDir, { recursive: true });
  await writeFile(join(workDir, `${network}.conflist`), JSON.stringify(chainOf(network, bridge, subnet)));
  const env = { ...process.env, NETCONFPATH: workDir, CNI_PATH: pluginDirs.join(':') };
  const exec = (verb, id) => run(cnitool, [verb, network, `/var/run/netns/vulcan-${id}`], { env });
  const namespaces = (ids, verb) =>
    feed('ip', ['-batch', '-'], ids.map((id) => `netns ${verb} vulcan-${id}\n`).join(''));
  return {
    name,
    bridge,
    prepare: (ids) => namespaces(ids, 'add'),
    setup: async (id) => void (await exec('add', id)),
    teardown: async (id) => void (await exec('del', id)),
    finish: (ids) => namespaces(ids, 'delete'),
    close: async () => {},
  };
}

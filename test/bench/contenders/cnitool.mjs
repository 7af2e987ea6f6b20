import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { feed } from '../feed.mjs';
import { runAll } from '../rounds.mjs';
import { settle } from '../settle.mjs';

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

/** Deletes namespaces one by one, as they come; beside it no process is started for any of them. */
function namespaceRemover() {
  const child = spawn('ip', ['-batch', '-'], { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  return {
    remove: (id) => child.stdin.write(`netns delete vulcan-${id}\n`),
    async end() {
      child.stdin.end();
      const [status] = await ended;
      if (status !== 0) throw new Error(`ip could not delete a namespace: it ended with ${status}`);
    },
  };
}

/**
 * The chain by cnitool, measured for the chain alone, while all others make and remove the namespace as well. Each
 * namespace goes right after its tear-down: the kernel's clean-up of one slows the next tear-down, for everybody alike.
 */
export async function cnitoolContender(name, { cnitool, pluginDirs, network, bridge, subnet, workDir }) {
  await mkdir(workDir, { recursive: true });
  await writeFile(join(workDir, `${network}.conflist`), JSON.stringify(chainOf(network, bridge, subnet)));
  const env = { ...process.env, NETCONFPATH: workDir, CNI_PATH: pluginDirs.join(':') };
  const exec = async (verb, id) => {
    const begin = performance.now();
    await run(cnitool, [verb, network, `/var/run/netns/vulcan-${id}`], { env });
    return { ms: performance.now() - begin };
  };
  let remover = null;
  return {
    name,
    bridge,
    async prepare(ids) {
      await feed('ip', ['-batch', '-'], ids.map((id) => `netns add vulcan-${id}\n`).join(''));
      remover ??= namespaceRemover();
    },
    setup: (id) => exec('add', id),
    async teardown(id) {
      const measured = await exec('del', id);
      remover.remove(id);
      return measured;
    },
    async finish() {
      await remover.end();
      remover = null;
    },
    close: async () => {},
  };
}

/**
 * Milliseconds of each set-up by the chain, one after another. Their tear-down is not measured, and done without the
 * chain: the namespaces go together.
 */
export async function measureChainGrowth({ vms, workDir, ...options }) {
  const chain = await cnitoolContender('chain', { ...options, workDir: join(workDir, options.network) });
  const ids = Array.from({ length: vms }, (_, vm) => `grow-${vm}`);
  await chain.prepare(ids);
  const { samples } = await runAll(ids, 1, (id) => chain.setup(id));
  await feed('ip', ['-batch', '-'], ids.map((id) => `netns delete vulcan-${id}\n`).join(''));
  await chain.finish();
  await settle(options.bridge);
  return samples;
}

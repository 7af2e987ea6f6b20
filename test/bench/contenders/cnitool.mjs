import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * The same chain by cnitool. Its namespaces are made before and removed after the timed part: cnitool is measured for
 * the chain alone, while `setup` makes the namespace as well.
 */
export async function cnitoolContender(name, { cnitool, pluginDirs, conflist, workDir }) {
  await mkdir(workDir, { recursive: true });
  await writeFile(join(workDir, `${conflist.name}.conflist`), JSON.stringify(conflist));
  const env = { ...process.env, NETCONFPATH: workDir, CNI_PATH: pluginDirs.join(':') };
  const namespace = (id) => `/var/run/netns/${id}`;
  const forEach = (ids, ...args) => Promise.all(ids.map((id) => run('ip', ['netns', ...args, id])));
  return {
    name,
    prepare: (ids) => forEach(ids, 'add'),
    setup: async (id) => void (await run(cnitool, ['add', conflist.name, namespace(id)], { env })),
    teardown: async (id) => void (await run(cnitool, ['del', conflist.name, namespace(id)], { env })),
    finish: (ids) => forEach(ids, 'del'),
    close: async () => {},
  };
}

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { bundledPluginDirectory } from '../../lib/native/load.ts';

const directory = '/run/vulcan-net/slow-plugins';

/** A directory with a tc-redirect-tap that takes its time before an ADD. */
export async function slowPlugins(): Promise<string> {
  await mkdir(directory, { recursive: true });
  const path = `${directory}/tc-redirect-tap`;
  const real = `${bundledPluginDirectory()}/tc-redirect-tap`;
  await writeFile(path, `#!/bin/sh\n[ "$CNI_COMMAND" != ADD ] || sleep 1.5\nexec ${real}\n`);
  await chmod(path, 0o755);
  return directory;
}

import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { bundledPluginDirectory } from '../../lib/native/load.ts';
import { until } from './lab.ts';

const directory = '/run/vulcan-net/slow-plugins';

/** Whoever waits for it takes it away, and is there until then. */
const gate = `${directory}/gate`;
const waiting = `${directory}/waiting`;

export interface SlowPlugins {
  readonly directory: string;
  /** Until one waits. */
  arrived(): Promise<void>;
  letGo(): Promise<void>;
}

/** A directory with a tc-redirect-tap that waits before an ADD until it is let go on. */
export async function slowPlugins(): Promise<SlowPlugins> {
  await mkdir(directory, { recursive: true });
  const path = `${directory}/tc-redirect-tap`;
  const real = `${bundledPluginDirectory()}/tc-redirect-tap`;
  const wait = `: >${waiting}; until rm ${gate}; do sleep 0.02; done 2>/dev/null; rm ${waiting}`;
  await writeFile(path, `#!/bin/sh\n[ "$CNI_COMMAND" != ADD ] || { ${wait}; }\nexec ${real}\n`);
  await chmod(path, 0o755);
  return {
    directory,
    arrived: () => until('a plugin to wait', () => existsSync(waiting)),
    letGo: () => writeFile(gate, ''),
  };
}

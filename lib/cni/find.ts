import { stopOf } from '../async/stop.ts';
import { AbortError } from '../errors.ts';
import type { NativeBinding } from '../native/binding.ts';
import type { NativeError } from '../native/error.ts';
import { runTask } from '../native/task.ts';
import { nativeFailure } from './native-failure.ts';
import { type CallName, pluginError, stepOf } from './outcome.ts';

/** Finding a plugin's executable: the first directory that has a regular file of that name, as libcni's FindInPath. */

export type PluginFinder = Pick<NativeBinding, 'fileFind' | 'cancel'>;

export interface FoundPlugin {
  readonly path: string;
  readonly executable: boolean;
}

export async function findPlugin(
  finder: PluginFinder,
  name: CallName,
  pluginDirs: readonly string[],
  signal?: AbortSignal,
): Promise<FoundPlugin> {
  const { type } = name;
  if (type === '' || type.includes('/') || type.includes('\0')) {
    const problem = 'a plugin is named by its file name alone';
    throw pluginError('ERR_PLUGIN_NAME_INVALID', name, problem);
  }
  const directories = pluginDirs.filter((directory) => directory !== '');
  const found = await runTask(finder, signal && stopOf(signal), (taskId) =>
    finder.fileFind({ directories, name: type, taskId }),
  ).catch((error: NativeError) => {
    if (error.code === 'ECANCELED') throw new AbortError(true, { cause: signal?.reason });
    throw nativeFailure(error, { step: stepOf(name) });
  });
  if (found !== null) return found;
  const where = directories.length === 0 ? 'no directory is searched' : `not in ${directories.join(', ')}`;
  throw pluginError('ERR_PLUGIN_NOT_FOUND', name, where);
}

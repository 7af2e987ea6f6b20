import { basename, dirname, extname, join } from 'node:path';
import { type ErrorCode, NetworkError } from '../errors.ts';
import type { NativeBinding } from '../native/binding.ts';
import type { NativeError } from '../native/error.ts';
import { parseAnyConf, parseConfList, parsePlugin, parseSingleConf } from './conflist.ts';
import type { ConfList } from './types.ts';

/** Finding configurations in a directory, as libcni does, but for one thing: a broken file that comes first is no obstacle. */

export type ConfFiles = Pick<NativeBinding, 'fileRead' | 'fileList'>;

const sizeLimit = 1024 * 1024;

function readError(path: string, error: NativeError): NetworkError {
  const codes: Readonly<Record<string, ErrorCode>> = {
    EFBIG: 'ERR_CONFLIST_INVALID',
    EACCES: 'ERR_PERMISSION',
    EPERM: 'ERR_PERMISSION',
  };
  const code = codes[error.code] ?? 'ERR_CONFLIST_NOT_FOUND';
  return new NetworkError(code, `${path} cannot be read: ${error.message}`, {
    ...{ path, cause: error, errno: error.errno, syscall: error.syscall },
  });
}

async function read(files: ConfFiles, path: string): Promise<string> {
  let text: string | null;
  try {
    const [directory, name] = [dirname(path), basename(path)];
    text = await files.fileRead({ directory, name, limit: sizeLimit, follow: true });
  } catch (error) {
    throw readError(path, error as NativeError);
  }
  if (text === null) throw new NetworkError('ERR_CONFLIST_NOT_FOUND', `${path} does not exist`, { path });
  return text;
}

/** Sorted by name; the extension must fit to the letter. */
async function list(files: ConfFiles, directory: string, extensions: readonly string[]): Promise<string[]> {
  try {
    const names = await files.fileList({ directory, follow: true });
    return names.filter((name) => extensions.includes(extname(name))).map((name) => join(directory, name));
  } catch (error) {
    throw readError(directory, error as NativeError);
  }
}

/**
 * The list with the plugins of `<directory>/<network>/*.conf` after its own, unless it wants none but its own. What a
 * record keeps of the configuration lacks them, so a list from a record needs this too.
 */
export async function withFolderPlugins(
  files: ConfFiles,
  directory: string,
  confList: ConfList,
): Promise<ConfList> {
  if (confList.loadOnlyInlinedPlugins) return confList;
  const paths = await list(files, join(directory, confList.name), ['.conf']);
  const plugins = await Promise.all(paths.map(async (path) => parsePlugin(await read(files, path), path)));
  return { ...confList, plugins: [...confList.plugins, ...plugins] };
}

async function complete(files: ConfFiles, path: string, confList: ConfList): Promise<ConfList> {
  const whole = await withFolderPlugins(files, dirname(path), confList);
  if (whole.plugins.length > 0) return whole;
  throw new NetworkError('ERR_CONFLIST_INVALID', `${path}: network ${whole.name} has no plugins`, { path });
}

/** The configuration in a file that the user names. */
export async function loadConfList(files: ConfFiles, path: string): Promise<ConfList> {
  return complete(files, path, parseAnyConf(await read(files, path), path));
}

/**
 * The network's configuration: the first `.conflist` in order of name that has its name, else the first `.conf` or
 * `.json`. When there is none, the first file that could not be read is the reason that is given.
 */
export async function findConfList(files: ConfFiles, directory: string, name: string): Promise<ConfList> {
  const kinds = [
    { extensions: ['.conflist'], parse: parseConfList },
    { extensions: ['.conf', '.json'], parse: parseSingleConf },
  ];
  const broken: NetworkError[] = [];
  for (const { extensions, parse } of kinds) {
    for (const path of await list(files, directory, extensions)) {
      try {
        const confList = parse(await read(files, path), path);
        if (confList.name === name) return await complete(files, path, confList);
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error;
        broken.push(error);
      }
    }
  }
  const [first] = broken;
  if (first !== undefined) throw first;
  throw new NetworkError('ERR_CONFLIST_NOT_FOUND', `${directory} has no configuration of network ${name}`, {
    path: directory,
  });
}

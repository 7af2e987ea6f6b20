import { join } from 'node:path';
import { type ErrorCode, isNetworkError, NetworkError, withRemedy } from '../errors.ts';
import type { FileVersion } from '../native/attachment.ts';
import type { NativeBinding } from '../native/binding.ts';
import { inPlaceOfDirectory, type NativeError } from '../native/error.ts';
import { codeByErrno } from '../native/kernel-error.ts';
import type { NamedText } from '../native/survey.ts';
import { collect } from './collect.ts';
import { recordName } from './names.ts';
import { formatRecord, parseRecord } from './record.ts';
import type { AttachmentKey, CacheRecord } from './types.ts';

/** What keeps records: the native binding, or a test's stand-in. */
export type RecordStore = Pick<
  NativeBinding,
  'directoryEnsure' | 'fileRead' | 'fileReadAll' | 'fileVersion' | 'fileWrite' | 'fileRemove' | 'fileList'
>;

export const recordSizeLimit = 16 * 1024 * 1024;

/** Of what has a record's name and is none: a symlink, a device, or larger than any. */
const noRecord = new Set(['EINVAL', 'ELOOP', 'ENXIO', 'EFBIG', 'EISDIR']);

function isOf(record: AttachmentKey, { network, containerId, ifName }: AttachmentKey): boolean {
  return record.network === network && record.containerId === containerId && record.ifName === ifName;
}

/** libcni's result cache: one record for each attachment, in `<stateDir>/results`. */
export class ResultCache {
  readonly directory: string;
  readonly #store: RecordStore;

  constructor(store: RecordStore, stateDir: string) {
    this.directory = join(stateDir, 'results');
    this.#store = store;
  }

  pathOf(key: AttachmentKey): string {
    return join(this.directory, recordName(key));
  }

  /** `null`: there is none. Rejects with ERR_RECORD_CORRUPT, or ERR_RECORD_MISMATCH when it is another attachment's. */
  async read(key: AttachmentKey): Promise<CacheRecord | null> {
    const record = await this.#readFile(recordName(key), key);
    if (record === null || isOf(record, key)) return record;
    const path = this.pathOf(key);
    const owner = `network ${record.network}, container ${record.containerId}, interface ${record.ifName}`;
    throw new NetworkError('ERR_RECORD_MISMATCH', `${path} is the record of ${owner}`, { path });
  }

  /** `null`: there is none. Of a record that is read after that, only what stands in its place later can differ. */
  async version(key: AttachmentKey): Promise<FileVersion | null> {
    const name = recordName(key);
    try {
      return await this.#store.fileVersion({ directory: this.directory, name });
    } catch (error) {
      throw fileError(join(this.directory, name), error as NativeError, 'ERR_KERNEL');
    }
  }

  /** Written whole or not at all. Never over another attachment's record; one that can't be read is replaced. */
  async write(record: CacheRecord): Promise<void> {
    await collectCorrupt(() => this.read(record));
    const data = formatRecord(record);
    const [directory, name] = [this.directory, recordName(record)];
    try {
      await this.#store.directoryEnsure({ path: directory, mode: 0o700 });
      await this.#store.fileWrite({ directory, name, data, mode: 0o600 });
    } catch (error) {
      throw fileError(join(directory, name), error as NativeError, 'ERR_RECORD_WRITE');
    }
  }

  /** Resolves with whether there was one. */
  async remove(key: AttachmentKey): Promise<boolean> {
    const name = recordName(key);
    try {
      return await this.#store.fileRemove({ directory: this.directory, name });
    } catch (error) {
      throw fileError(join(this.directory, name), error as NativeError, 'ERR_RECORD_WRITE');
    }
  }

  /** All records, whoever wrote them, in order of file name; `errors` tells of files that are none. */
  async list(): Promise<{
    readonly records: readonly CacheRecord[];
    readonly errors: readonly NetworkError[];
    readonly names: readonly string[];
  }> {
    const records: CacheRecord[] = [];
    const errors: NetworkError[] = [];
    const files = await this.#readAll();
    for (const { name, text } of files) {
      const path = join(this.directory, name);
      await collect(errors, async () => {
        if (text === null) throw corrupt(path, 'it is larger than any record');
        records.push(recordOf(path, text, null));
      });
    }
    return { records, errors, names: files.map(({ name }) => name) };
  }

  /** Names of the files, whatever they hold. */
  async names(): Promise<readonly string[]> {
    try {
      return await this.#store.fileList({ directory: this.directory });
    } catch (error) {
      throw fileError(this.directory, error as NativeError, 'ERR_KERNEL');
    }
  }

  /** The record in a file of that name, whosever it is; `null`: there is none. */
  readNamed(name: string): Promise<CacheRecord | null> {
    return this.#readFile(name, null);
  }

  async #readAll(): Promise<readonly NamedText[]> {
    try {
      return await this.#store.fileReadAll({ directory: this.directory, limit: recordSizeLimit });
    } catch (error) {
      throw fileError(this.directory, error as NativeError, 'ERR_KERNEL');
    }
  }

  async #readFile(name: string, key: AttachmentKey | null): Promise<CacheRecord | null> {
    const path = join(this.directory, name);
    let text: string | null;
    try {
      text = await this.#store.fileRead({ directory: this.directory, name, limit: recordSizeLimit });
    } catch (error) {
      const { code } = error as NativeError;
      throw fileError(path, error as NativeError, noRecord.has(code) ? 'ERR_RECORD_CORRUPT' : 'ERR_KERNEL');
    }
    return text === null ? null : recordOf(path, text, key);
  }
}

function corrupt(path: string, problem: string): NetworkError {
  const message = withRemedy('ERR_RECORD_CORRUPT', `${path} is no record: ${problem}`);
  return new NetworkError('ERR_RECORD_CORRUPT', message, { path });
}

function recordOf(path: string, text: string, key: AttachmentKey | null): CacheRecord {
  const record = parseRecord(text, key);
  if (record.ok) return record.value;
  throw corrupt(path, record.problem);
}

async function collectCorrupt(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isNetworkError(error, 'ERR_RECORD_CORRUPT')) throw error;
  }
}

function fileError(path: string, error: NativeError, otherwise: ErrorCode): NetworkError {
  const code =
    error.reason === 'directory-unsafe' ? 'ERR_STATE_DIR_UNSAFE' : (codeByErrno(error) ?? otherwise);
  const { errno, syscall } = error;
  const fields = { step: 'record', path, cause: error, errno, syscall };
  const problem = `${path}: ${error.message}`;
  const remedy = inPlaceOfDirectory(error);
  return new NetworkError(
    code,
    remedy === null ? withRemedy(code, problem) : `${problem}; ${remedy}`,
    fields,
  );
}

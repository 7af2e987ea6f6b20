import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import type { RecordStore } from '../../../lib/cni/cache.ts';
import type { ChainRunner } from '../../../lib/cni/call.ts';
import { parseConfList } from '../../../lib/cni/conflist.ts';
import type { ConfList } from '../../../lib/cni/types.ts';
import type { ExecPlan, ExecResult } from '../../../lib/native/exec.ts';

export function golden(path: string): string {
  return readFileSync(new URL(`../../golden/${path}`, import.meta.url), 'utf8');
}

/** A system error as the native binding rejects with. */
export function systemError(code: string, fields: object = {}): Error {
  return Object.assign(new Error(`${code}: refused`), { code, errno: -1, syscall: 'open', ...fields });
}

/** One run of a plugin, as the plugin would see it. */
export interface Seen {
  readonly type: string;
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly plan: ExecPlan;
}

/** What the plugin prints, or how its run ends. */
export type Answer = string | Partial<ExecResult>;

const ended: ExecResult = {
  exitCode: 0,
  signal: null,
  stdout: '',
  stderr: '',
  timedOut: false,
  cancelled: false,
  stdoutOverflow: false,
  durationMs: 1,
};

/** Executes no one: plugins are functions, all found in the first directory that is searched. */
export class FakeRunner implements ChainRunner {
  readonly seen: Seen[] = [];
  readonly cancelled: number[] = [];
  readonly missing = new Set<string>();
  readonly hostNamespaces = new Set<string>();
  /** Rejects the look at any namespace, when set. */
  unreadable: Error | null = null;
  readonly #answer: (seen: Seen) => Answer | Promise<Answer>;

  constructor(answer: (seen: Seen) => Answer | Promise<Answer>) {
    this.#answer = answer;
  }

  get order(): readonly string[] {
    return this.seen.map(({ type, command }) => `${command} ${type}`);
  }

  async exec(plan: ExecPlan): Promise<ExecResult> {
    const env = Object.fromEntries(
      plan.env.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    );
    const type = posix.basename(plan.file);
    const seen = { type, command: env['CNI_COMMAND'] ?? '', env, stdin: plan.stdin, plan };
    this.seen.push(seen);
    const answer = await this.#answer(seen);
    return typeof answer === 'string' ? { ...ended, stdout: answer } : { ...ended, ...answer };
  }

  cancel(taskId: number): void {
    this.cancelled.push(taskId);
  }

  async fileFind({ directories, name }: { readonly directories: readonly string[]; readonly name: string }) {
    const [directory] = directories;
    if (directory === undefined || this.missing.has(name)) return null;
    return { path: posix.join(directory, name), executable: true };
  }

  async isHostNamespace({ path }: { readonly path: string }) {
    if (this.unreadable !== null) throw this.unreadable;
    return this.hostNamespaces.has(path);
  }
}

/** Files in memory, by path. */
export class FakeFiles implements RecordStore {
  readonly files = new Map<string, string>();
  /** Rejects the operation on the path, when set. */
  fail: ((operation: 'read' | 'write' | 'remove' | 'list', path: string) => Error | null) | null = null;

  async directoryEnsure() {
    return { created: false };
  }

  async fileRead({ directory, name }: { readonly directory: string; readonly name: string }) {
    const path = this.#reach('read', directory, name);
    return this.files.get(path) ?? null;
  }

  async fileVersion({ directory, name }: { readonly directory: string; readonly name: string }) {
    const text = this.files.get(this.#reach('read', directory, name));
    return text === undefined ? null : { inode: text.length, modifiedMs: 0 };
  }

  async fileWrite(plan: { readonly directory: string; readonly name: string; readonly data: string }) {
    this.files.set(this.#reach('write', plan.directory, plan.name), plan.data);
  }

  async fileRemove({ directory, name }: { readonly directory: string; readonly name: string }) {
    return this.files.delete(this.#reach('remove', directory, name));
  }

  async fileList({ directory }: { readonly directory: string }) {
    this.#reach('list', directory, '');
    return [...this.files.keys()]
      .filter((path) => posix.dirname(path) === directory)
      .map((path) => posix.basename(path))
      .sort();
  }

  async fileReadAll({ directory }: { readonly directory: string }) {
    const names = await this.fileList({ directory });
    return Promise.all(names.map(async (name) => ({ name, text: await this.fileRead({ directory, name }) })));
  }

  #reach(operation: 'read' | 'write' | 'remove' | 'list', directory: string, name: string): string {
    const path = posix.join(directory, name);
    const error = this.fail?.(operation, path) ?? null;
    if (error !== null) throw error;
    return path;
  }
}

/** A list of plugins that have nothing but a type, and what is given beside it. */
export function listOf(cniVersion: string, ...plugins: readonly (string | object)[]): ConfList {
  const raw = plugins.map((plugin) => (typeof plugin === 'string' ? { type: plugin } : plugin));
  return parseConfList(JSON.stringify({ cniVersion, name: 'testnet', plugins: raw }), 'test');
}

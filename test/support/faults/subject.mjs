/** A manager in a process of its own, under the shim. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { debianPluginDir, upstreamPluginDir } from '../tools.mjs';
import { Control, traceFlag } from './control.mjs';

const shimDir = fileURLToPath(new URL('../../../build/dev/shim', import.meta.url));
export const shim = join(shimDir, 'faults.so');
/** Not among what the canonical dump looks at. */
const workDir = '/run/lock/faults';
export const stepDir = join(workDir, 'plugins');
const realPlugins = existsSync(join(debianPluginDir, 'bridge')) ? debianPluginDir : upstreamPluginDir;

let serial = 0;

/** `bridge` and `host-local` with a point before and after what they do. */
export async function installSteps() {
  await rm(workDir, { recursive: true, force: true });
  mkdirSync(stepDir, { recursive: true });
  for (const type of ['bridge', 'host-local'])
    await symlink(join(shimDir, 'plugin-step'), join(stepDir, type));
}

/** What of an operation is watched. @typedef {Pick<import('./operations.mjs').Operation, 'verb' | 'from' | 'heldBack'>} Watched */

/**
 * What came of a verb. `error` is null when it resolved; `hits` says how often the chosen point was reached; `logged`
 * has the errors that were logged.
 *
 * @typedef {{ value: any, error: any, hits: number, logged: any[] }} Outcome
 */

export class Subject {
  /** @param {readonly string[]} under a program to run it under, with its arguments */
  constructor(under = []) {
    serial += 1;
    this.control = Control.create(join(workDir, `control-${process.pid}-${serial}`));
    this.child = fork(fileURLToPath(new URL('manager.mjs', import.meta.url)), {
      env: {
        ...process.env,
        LD_PRELOAD: shim,
        VULCAN_FAULTS: this.control.path,
        VULCAN_PLUGINS: realPlugins,
      },
      ...(under.length === 0 ? {} : { execPath: under[0], execArgv: [...under.slice(1), process.execPath] }),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.exited = once(this.child, 'exit');
    this.ready = once(this.child, 'message');
  }

  /** Without points. @param {string} verb @param {any} [argument] @returns {Promise<Outcome>} */
  async quietly(verb, argument) {
    return this.#ask({ verb, argument, armed: false, fault: null, flags: 0 });
  }

  /** Like {@link quietly}, for what must not fail. @param {string} verb @param {any} [argument] */
  async must(verb, argument) {
    const { value, error } = await this.quietly(verb, argument);
    if (error !== null) throw new Error(`${verb} ${argument ?? ''}: ${error.message}`, { cause: error });
    return value;
  }

  /**
   * With points. `null`: the process was killed.
   *
   * @param {Watched} watched @param {any} argument @param {import('./control.mjs').Fault | null} fault
   * @returns {Promise<Outcome | null>}
   */
  async faulted({ verb, from, heldBack }, argument, fault, flags = 0) {
    const request = { verb, argument, armed: true, from, heldBack, fault, flags };
    return Promise.race([this.#ask(request), this.exited.then(() => null)]);
  }

  /** @param {Watched} watched @param {any} argument @param {number} flags @returns {Promise<string[]>} */
  async traced(watched, argument, flags = traceFlag) {
    this.control.takeTrace();
    const outcome = await this.faulted(watched, argument, null, flags);
    if (outcome === null || outcome.error !== null) {
      throw new Error(`${watched.verb}: ${outcome?.error.message ?? 'was killed'}`);
    }
    return this.control.takeTrace();
  }

  async end() {
    await Promise.race([this.ready, this.exited]);
    if (this.child.connected) this.child.disconnect();
    await this.exited;
    this.control.close();
    await rm(this.control.path, { force: true });
    await rm(this.control.traceFile, { force: true });
  }

  /** @param {object} request @returns {Promise<Outcome>} */
  async #ask(request) {
    await this.ready;
    const answered = once(this.child, 'message');
    this.child.send(request);
    const [answer] = await answered;
    return answer;
  }
}

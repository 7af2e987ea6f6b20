/** A process of `load.mjs`, from its start to its kill. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('load.mjs', import.meta.url));
const patienceMs = 60_000;

export class Victim {
  /** What it has said. @type {any[]} */
  lines = [];
  #rest = '';
  /** Called with each line. */
  #heard = () => {};

  /** @param {object} options of the manager @param {number} seed */
  constructor(options, seed) {
    this.child = spawn(process.execPath, [file, JSON.stringify(options), `${seed}`], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe', 'ipc'],
    });
    const said = /** @type {import('node:stream').Readable} */ (this.child.stdio[3]);
    said.on('data', (chunk) => this.#take(`${chunk}`));
    this.closed = Promise.all([once(this.child, 'exit'), once(said, 'end')]);
    void this.closed.then(() => this.#heard());
  }

  /** @param {string} chunk */
  #take(chunk) {
    const lines = `${this.#rest}${chunk}`.split('\n');
    this.#rest = lines.pop() ?? '';
    this.lines.push(...lines.map((line) => JSON.parse(line)));
    this.#heard();
  }

  /**
   * The line that `matches` finds, once it is there.
   *
   * @param {string} what @param {(lines: readonly any[]) => any} matches
   */
  async until(what, matches) {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const found = matches(this.lines);
      if (found !== undefined && found !== false) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`the process ended by itself before ${what}`);
      }
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(`${what}: not within ${patienceMs} ms`);
      await this.#line(leftMs);
    }
  }

  /** @param {number} timeoutMs */
  async #line(timeoutMs) {
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    await new Promise((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
      this.#heard = () => resolve(undefined);
    });
    clearTimeout(timer);
  }

  /** @param {any} word */
  tell(word) {
    this.child.send(word, () => {});
  }

  /** Kills it, and waits until all that it had said is here. */
  async kill() {
    this.child.kill('SIGKILL');
    await this.closed;
  }

  async end() {
    if (this.child.connected) this.child.disconnect();
    await this.closed;
  }
}

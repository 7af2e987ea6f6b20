/** `ip`, `tc` and `nft` that are started once and asked again and again: a line of JSON for each command. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** By what makes each read its commands. @type {Readonly<Record<string, readonly string[]>>} */
const batches = { ip: ['-batch', '-'], tc: ['-batch', '-'], nft: ['-i'] };

class LastingTool {
  /** @type {{ resolve: (answer: any) => void, reject: (error: Error) => void }[]} */
  #asked = [];

  /** @param {string} file @param {readonly string[]} options */
  constructor(file, options) {
    this.child = spawn(file, [...options, ...(batches[file] ?? [])], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface(this.child.stdout).on('line', (line) => this.#asked.shift()?.resolve(JSON.parse(line)));
    this.child.on('close', () => {
      for (const { reject } of this.#asked.splice(0)) reject(new Error(`${file} has ended`));
    });
  }

  /** @param {string} command @returns {Promise<any>} */
  ask(command) {
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject });
      this.child.stdin.write(`${command}\n`);
    });
  }

  end() {
    this.child.stdin.end();
  }
}

export class LastingTools {
  /** @type {Map<string, LastingTool>} */
  #tools = new Map();

  /** As `query` of dump.mjs. @param {string} file @param {...string} args */
  ask(file, ...args) {
    const options = args.filter((each) => each.startsWith('-'));
    const key = [file, ...options].join(' ');
    const tool = this.#tools.get(key) ?? new LastingTool(file, options);
    this.#tools.set(key, tool);
    return tool.ask(args.slice(options.length).join(' '));
  }

  end() {
    for (const tool of this.#tools.values()) tool.end();
  }
}

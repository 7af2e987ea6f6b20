import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * A peer in a process of its own: it reads `setup ID` and `teardown ID`, and answers each with a line of JSON that says
 * how many microseconds it took, so that neither the pipe nor this process is measured.
 */
export function peerContender(name, command, settings, { prepare = async () => {} } = {}) {
  const child = spawn(command[0], command.slice(1), {
    env: { ...process.env, ...settings },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting = [];
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.once('exit', (code) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`${name} ended with ${code}`));
  });
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)));
  const ask = (verb, id) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      child.stdin.write(`${verb} ${id}\n`);
    });
  const timed = async (verb, id) => {
    const { us, steps } = await ask(verb, id);
    return { ms: us / 1000, steps };
  };
  return {
    name,
    bridge: settings.BENCH_BRIDGE,
    prepare,
    setup: (id) => timed('setup', id),
    teardown: (id) => timed('teardown', id),
    finish: async () => {},
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

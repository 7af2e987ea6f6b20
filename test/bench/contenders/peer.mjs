import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * A peer in a process of its own: it reads `setup ID` and `teardown ID`, and answers each with a line of JSON that says
 * how many microseconds it took, so that neither the pipe nor this process is measured.
 */
export function peerContender(name, file, settings) {
  const child = spawn(file, [], { env: { ...process.env, ...settings }, stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = [];
  const ended = new Promise((resolve) => {
    child.once('exit', (code) => {
      for (const { reject } of waiting.splice(0)) reject(new Error(`${name} ended with ${code}`));
      resolve();
    });
  });
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)));
  const request = (line) => {
    if (child.exitCode !== null) return Promise.reject(new Error(`${name} ended with ${child.exitCode}`));
    const answer = new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    child.stdin.write(`${line}\n`);
    return answer;
  };
  const ask = async (verb, id) => {
    const { us, steps } = await request(`${verb} ${id}`);
    return { ms: us / 1000, steps };
  };
  return {
    name,
    bridge: settings.BENCH_BRIDGE,
    pid: child.pid,
    request,
    prepare: async () => {},
    setup: (id) => ask('setup', id),
    teardown: (id) => ask('teardown', id),
    finish: async () => {},
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

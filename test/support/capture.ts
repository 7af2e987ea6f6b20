import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Capture extends AsyncDisposable {
  /** Whether these bytes have come in. */
  has(frame: Buffer): boolean;
}

/** All frames that a link in another namespace sees, from now on. */
export async function capture(netns: string, link: string): Promise<Capture> {
  const command = [`--net=${netns}`, '--', 'tcpdump', '-i', link, '-n', '-U', '--immediate-mode', '-w', '-'];
  const tcpdump = spawn('nsenter', command, { stdio: ['ignore', 'pipe', 'pipe'] });
  let seen = Buffer.alloc(0);
  tcpdump.stdout.on('data', (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
  });
  tcpdump.stderr.resume();
  await once(tcpdump.stdout, 'data'); // the file's header: it listens
  return {
    has: (frame) => seen.includes(frame),
    async [Symbol.asyncDispose]() {
      if (tcpdump.exitCode !== null || tcpdump.signalCode !== null) return;
      tcpdump.kill('SIGKILL');
      await once(tcpdump, 'exit');
    },
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Processes in namespaces, as VMMs are; each until it is ended. */
export class Vmms {
  #children: ChildProcess[] = [];

  /** Lives in the namespace. */
  async start(netnsPath: string): Promise<{ readonly pid: number; readonly netns: string }> {
    const command = ['sh', '-c', 'echo in; exec sleep 1000'];
    const child = spawn('nsenter', [`--net=${netnsPath}`, '--', ...command], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#children.push(child);
    await once(child.stdout, 'data');
    return { pid: child.pid ?? 0, netns: `/proc/${child.pid}/ns/net` };
  }

  async end(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    this.#children = [];
  }
}

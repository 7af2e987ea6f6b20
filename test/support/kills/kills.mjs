/** Kills at random moments, with eight set-ups and teardowns in flight; the next process brings the host back, and is killed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { canonicalDump } from '../dump.mjs';
import { randomOf } from '../random.mjs';
import { debianPluginDir } from '../tools.mjs';
import { Expected } from './expected.mjs';
import { judgeHost } from './host.mjs';
import { Victim } from './victim.mjs';

/** The first directory with plugins; where state is; how long an operation takes, about. */
const backends = {
  native: { options: {}, stateDir: '/run/cni', operationMs: 10 },
  cni: { options: { pluginDirs: [debianPluginDir] }, stateDir: '/var/lib/cni', operationMs: 100 },
};
const killsBetweenDumps = 100;
/** Of so many kills, one is in the middle of an open. */
const killsPerOpen = 6;
const mostLines = 24;

class Proof {
  /** @param {'cni' | 'native'} backend @param {number} seed */
  constructor(backend, seed) {
    this.backend = backend;
    this.random = randomOf(seed);
    this.expected = new Expected();
    this.counts = { kills: 0, inOpen: 0, removed: 0, adopted: 0, inFlight: 0, again: 0 };
    /** @type {string[]} */
    this.problems = [];
  }

  /** Started while the one before is at work. */
  start() {
    const { options } = backends[this.backend];
    return new Victim({ backend: this.backend, ...options }, Math.floor(this.random() * 2 ** 31));
  }

  take() {
    const victim = this.next ?? this.start();
    this.next = this.start();
    return victim;
  }

  /** @param {Victim} victim */
  async opened(victim) {
    victim.tell('open');
    const { opened } = await victim.until('open', (lines) => lines.find((line) => line.opened));
    const { suspects } = this.expected;
    const problems = [
      ...this.expected.judge(opened),
      ...(await judgeHost(backends[this.backend].stateDir, opened.found)),
    ];
    this.problems.push(
      ...problems.map((each) => `kill ${this.counts.kills}, ${suspects} in flight: ${each}`),
    );
    this.counts.removed += opened.removed.length;
    this.counts.adopted += opened.found.length;
    return suspects;
  }

  async killInOpen() {
    const victim = this.take();
    await victim.until('its start', (lines) => lines.length > 0);
    victim.tell('open');
    await sleep(this.random() * backends[this.backend].operationMs * 2);
    await victim.kill();
    this.counts.inOpen += 1;
  }

  async killUnderLoad() {
    const victim = this.take();
    await victim.until('its start', (lines) => lines.length > 0);
    const suspects = await this.opened(victim);
    const before = victim.lines.length;
    const lines = Math.floor(this.random() * mostLines);
    victim.tell({ suspects });
    await victim.until('work', (all) => all.length >= before + lines);
    await sleep(this.random() * backends[this.backend].operationMs);
    await victim.kill();
    const said = victim.lines.slice(before);
    this.problems.push(...this.expected.follow(said).map((each) => `kill ${this.counts.kills}: ${each}`));
    this.counts.inFlight += this.expected.suspects.length;
    this.counts.again += said.filter(({ done, vmId }) => done && suspects.includes(vmId)).length;
  }

  async kill() {
    await (this.random() * killsPerOpen < 1 ? this.killInOpen() : this.killUnderLoad());
    this.counts.kills += 1;
  }

  /** The network without VMs. */
  async clear() {
    const victim = this.take();
    await victim.until('its start', (lines) => lines.length > 0);
    await this.opened(victim);
    victim.tell('clear');
    const { cleared } = await victim.until('gc', (lines) => lines.find((line) => line.cleared));
    this.problems.push(...cleared.map((/** @type {any} */ error) => `gc fails: ${JSON.stringify(error)}`));
    await victim.end();
    this.expected = new Expected();
  }

  /** @param {string} before */
  async compare(before) {
    await this.clear();
    const after = await canonicalDump({ expected: before });
    if (after === before) return;
    const [old, now] = [before.split('\n'), after.split('\n')];
    const gone = old.filter((line) => !now.includes(line)).map((line) => `\n    - ${line}`);
    const come = now.filter((line) => !old.includes(line)).map((line) => `\n    + ${line}`);
    this.problems.push(`kill ${this.counts.kills}: not as before${[...gone, ...come].join('')}`);
  }
}

/**
 * @param {{ backend: 'cni' | 'native', kills: number, seed: number, log?: (line: string) => void }} proof `seed` says what is
 *   done and when it is cut short; what the kernel makes of that differs from run to run
 */
export async function proveKills({ backend, kills, seed, log = () => {} }) {
  const proof = new Proof(backend, seed);
  await proof.clear();
  const before = await canonicalDump();
  while (proof.counts.kills < kills && proof.problems.length === 0) {
    await proof.kill();
    if (proof.counts.kills % killsBetweenDumps !== 0 && proof.counts.kills !== kills) continue;
    await proof.compare(before);
    log(`${backend}: ${proof.counts.kills} of ${kills} kills`);
  }
  await proof.next?.end();
  return { ...proof.counts, problems: proof.problems };
}

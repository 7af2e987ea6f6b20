/** Whether after each of hundreds of runs there is what was there before. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { dumpDifference, dumpOnce } from '../dump.mjs';
import { LastingTools } from './lasting-tool.mjs';

const execFileAsync = promisify(execFile);
const patienceMs = 20_000;
const pauseMs = 5;
/** So long is waited for links to go; those of other VMs, which stay, cost every proof as much. */
const goingMs = 3_000;

/** Whatever a dump says of a VM's link on the host: the kernel takes its time to free it. */
const ofHostLink = /^(link|address|qdisc|filter) vn\w+|^route .*\bdev=vn\w+/;

/** @param {string} dump */
const withoutHostLinks = (dump) =>
  dump
    .split('\n')
    .filter((line) => !ofHostLink.test(line))
    .join('\n');

/** By a tool of its own, which ends when the link has gone meanwhile. @param {string} link */
async function filtersOf(link) {
  const { stdout } = await execFileAsync('tc', ['-j', 'filter', 'show', 'dev', link, 'ingress']);
  return JSON.parse(stdout);
}

export class Baseline {
  #tools = new LastingTools();
  #before = '';

  /** Once nothing changes any more. */
  async take() {
    const deadline = performance.now() + patienceMs;
    let since = performance.now();
    for (let last = ''; ; last = this.#before) {
      this.#before = await this.#dump();
      const now = performance.now();
      if (this.#before !== last) since = now;
      // A VM's link may be about to go.
      const quietMs = this.#before.split('\n').some((line) => ofHostLink.test(line)) ? goingMs : pauseMs * 20;
      if (now - since >= quietMs || now >= deadline) return;
      await sleep(pauseMs * 20);
    }
  }

  /**
   * What is not as before, or nothing: then it is what later differences are from.
   *
   * @param {{ linksMayGo?: boolean }} [options] `linksMayGo`: VMs' links that the kernel has yet to free are passed over
   */
  async difference({ linksMayGo = false } = {}) {
    const seen = linksMayGo ? withoutHostLinks : (/** @type {string} */ dump) => dump;
    const before = seen(this.#before);
    const deadline = performance.now() + patienceMs;
    let now = await this.#dump();
    while (seen(now) !== before && performance.now() < deadline) {
      await sleep(pauseMs);
      now = await this.#dump();
    }
    if (seen(now) === before) return '';
    this.#before = now;
    return `not as before:${dumpDifference(before, seen(now))}`;
  }

  end() {
    this.#tools.end();
  }

  /** A link may go between two looks of one dump. */
  #dump() {
    return this.#readHost()
      .then(dumpOnce)
      .catch((error) => `${error.message}`);
  }

  /** By tools that last: it is read more often than anything else. @returns {Promise<import('../dump-readings.mjs').Reading>} */
  async #readHost() {
    const [links, addresses, routes4, routes6, qdiscs, ruleset] = await Promise.all([
      this.#tools.ask('ip', '-d', '-j', 'link', 'show'),
      this.#tools.ask('ip', '-j', 'address', 'show'),
      this.#tools.ask('ip', '-4', '-j', 'route', 'show', 'table', 'all'),
      this.#tools.ask('ip', '-6', '-j', 'route', 'show', 'table', 'all'),
      this.#tools.ask('tc', '-j', 'qdisc', 'show'),
      this.#tools.ask('nft', '-j', 'list', 'ruleset'),
    ]);
    /** @type {import('../dump-readings.mjs').Reading['filters']} */
    const filters = [];
    for (const { kind, dev } of qdiscs) {
      if (kind !== 'ingress' && kind !== 'clsact') continue;
      filters.push([dev, await filtersOf(dev)]);
    }
    return { links, addresses, routes: [...routes4, ...routes6], qdiscs, ruleset, filters };
  }
}

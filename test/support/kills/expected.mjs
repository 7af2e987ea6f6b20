/** What must be there after a kill, by what its victim had said. */
import { isDeepStrictEqual } from 'node:util';

/** @typedef {{ state: 'up' | 'setup' | 'teardown', config: any }} Known what is up, or about to be, or about to go */

export class Expected {
  /** @type {Map<string, Known>} */
  known = new Map();
  /** What was in flight when the last one was killed. */
  get suspects() {
    return [...this.known].filter(([, { state }]) => state !== 'up').map(([vmId]) => vmId);
  }

  /** @param {readonly any[]} lines @returns {string[]} problems */
  follow(lines) {
    const problems = [];
    for (const { begun, done, refused, vmId, config, error } of lines) {
      if (begun !== undefined) this.known.set(vmId, { state: begun, config: null });
      if (done === 'setup') this.known.set(vmId, { state: 'up', config });
      if (done === 'teardown') this.known.delete(vmId);
      if (refused !== undefined)
        problems.push(`${refused} of ${vmId} is refused: ${error.code}, ${error.step}: ${error.message}`);
    }
    return problems;
  }

  /**
   * Takes what the next process has found for what is there.
   *
   * @param {{ found: readonly any[], removed: readonly string[], restored: readonly string[], failures: readonly any[] }} opened
   * @returns {string[]} problems
   */
  judge({ found, removed, restored, failures }) {
    const lost = [...this.known]
      .filter(([vmId, { state }]) => state === 'up' && !found.some((each) => each.vmId === vmId))
      .map(([vmId]) => `${vmId} was up, and is lost`);
    const judged = found.flatMap((each) => this.#judgeOne(each));
    const { suspects } = this;
    const astray = removed.filter((vmId) => !suspects.includes(vmId));
    this.known = new Map(
      found.map(({ vmId, config, ok }) => [vmId, { state: ok ? 'up' : 'teardown', config }]),
    );
    return [
      ...lost,
      ...judged,
      ...astray.map((vmId) => `${vmId} is removed, of which nothing was in flight`),
      ...restored.map((vmId) => `${vmId} is restored, which nobody uses`),
      ...failures.map((failure) => `recovery fails: ${JSON.stringify(failure)}`),
    ];
  }

  /** @param {any} found @returns {string[]} */
  #judgeOne({ vmId, state, config, ok, differences }) {
    const known = this.known.get(vmId);
    if (known === undefined) return [`${vmId} is there, and was torn down`];
    if (state !== 'complete') return [`${vmId} is ${state}`];
    if (known.state === 'teardown') return [];
    if (!ok) return [`${vmId} was ${known.state}, and is incomplete: ${JSON.stringify(differences)}`];
    if (known.state === 'up' && !isDeepStrictEqual(config, known.config))
      return [`${vmId} has another configuration: ${JSON.stringify([known.config, config])}`];
    return [];
  }
}

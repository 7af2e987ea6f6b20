import type { CacheRecord } from '../cni/types.ts';
import type { Amendment } from '../native/survey.ts';
import type { RepairReport } from '../types.ts';
import type { Check } from './check.ts';
import { asDifference, type Finding } from './finding.ts';
import { atStep, kernelError } from './kernel-error.ts';
import type { Restoration } from './restore.ts';
import type { Runtime } from './runtime.ts';

/** Puts back what differs, and nothing else: a VM that works sends and receives all the while. */

/** The namespace gets its name first; only then can it be looked into. */
const rounds = 2;

type Repaired = RepairReport['repaired'][number];
type Failed = RepairReport['failed'][number];

const textOf = ({ subject, message }: Finding) => `${subject} ${message}`;

export class Repair {
  readonly repaired: Repaired[];
  readonly failed: Failed[];
  readonly #runtime: Runtime;

  constructor(runtime: Runtime, { repaired, failed }: Restoration) {
    this.#runtime = runtime;
    this.repaired = [...repaired];
    this.failed = [...failed];
  }

  get report(): RepairReport {
    const { repaired, failed } = this;
    return { ok: failed.length === 0, repaired, failed };
  }

  /** Under the VM's lock. */
  async run(check: Check, vmId: string, record: CacheRecord): Promise<void> {
    const errors = new Map<string, Error>();
    let left = await check.run(vmId, record);
    for (let round = 0; round < rounds && left.some(({ fix }) => fix !== null); round++) {
      const before = left;
      for (const finding of before) await this.#apply(finding, record, errors);
      left = await check.run(vmId, record);
      const still = new Set(left.map(textOf));
      const done = before.filter((finding) => !still.has(textOf(finding)));
      this.repaired.push(...done.map((finding) => ({ vmId, ...asDifference(finding) })));
    }
    this.failed.push(
      ...left.map((finding) => ({
        ...{ vmId, ...asDifference(finding) },
        error: errors.get(textOf(finding)) ?? null,
      })),
    );
  }

  async #apply(finding: Finding, { netns }: CacheRecord, errors: Map<string, Error>): Promise<void> {
    const { fix } = finding;
    if (fix === null) return;
    try {
      if (fix.on === 'host') await fix.apply();
      else await this.#amend(netns, fix.amendments);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      errors.set(textOf(finding), error);
    }
  }

  async #amend(netns: string, amendments: readonly Amendment[]): Promise<void> {
    const errors = await atStep('inside', () => this.#runtime.binding.amend({ netns, amendments }));
    const error = errors.find((each) => each !== null);
    if (error !== undefined) throw kernelError('inside', error);
  }
}

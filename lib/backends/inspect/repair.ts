import type { CacheRecord } from '../../cni/types.ts';
import { atStep, kernelError } from '../../native/kernel-error.ts';
import type { Amendment } from '../../native/survey.ts';
import type { Scope } from '../../operation.ts';
import type { RepairReport } from '../../types.ts';
import { vmIdOf } from '../attachment/records.ts';
import { claimsNothing } from '../host/anchor.ts';
import { hostLinkName } from '../host/host-link.ts';
import type { HeldLock } from '../host/locks.ts';
import type { Runtime } from '../network/runtime.ts';
import { underLocks } from '../recovery/recover.ts';
import { Check, type InspectFurther } from './check.ts';
import { asDifference, type Finding, textOf } from './finding.ts';
import { HostReading } from './host-reading.ts';

/** Puts back what differs, and nothing else: a VM that works sends and receives all the while. */

/** The namespace gets its name first; only then can it be looked into. */
const rounds = 2;

type Repaired = RepairReport['repaired'][number];
type Failed = RepairReport['failed'][number];

/** An attachment, and what was found in the last round and was to be put back. */
interface Patient {
  readonly vmId: string;
  readonly record: CacheRecord;
  found: readonly Finding[];
  readonly errors: Map<string, Error>;
  readonly repaired: Repaired[];
  readonly failed: Failed[];
}

function byVm(patients: readonly Patient[]): ReadonlyMap<string, readonly Patient[]> {
  const grouped = new Map<string, Patient[]>();
  for (const patient of patients) {
    const others = grouped.get(patient.vmId);
    if (others === undefined) grouped.set(patient.vmId, [patient]);
    else others.push(patient);
  }
  return grouped;
}

/**
 * Of many VMs as of one: the host is read once in each round, and each VM is looked at and mended under its lock. The next
 * round, for those of which something was put back, sees what came of it.
 */
export class Repair {
  readonly #runtime: Runtime;
  readonly #further: InspectFurther;
  readonly #scope: Scope;

  constructor(runtime: Runtime, further: InspectFurther, scope: Scope) {
    this.#runtime = runtime;
    this.#further = further;
    this.#scope = scope;
  }

  /** Of one VM: waits for its lock as long as the verb may, and rejects where it can't be looked at. */
  one(vmId: string, records: readonly CacheRecord[]): Promise<Omit<RepairReport, 'ok'>> {
    const { locks } = this.#runtime;
    return this.#run(records, async (work) => {
      await locks.withVm(vmId, this.#scope, (lock) => work(vmId, lock));
      return [];
    });
  }

  all(records: readonly CacheRecord[]): Promise<Omit<RepairReport, 'ok'>> {
    return this.#run(records, (work, vmIds) => underLocks(this.#runtime, vmIds, this.#scope, work));
  }

  async #run(
    records: readonly CacheRecord[],
    eachVm: (
      work: (vmId: string, lock: HeldLock) => Promise<void>,
      vmIds: readonly string[],
    ) => ReturnType<typeof underLocks>,
  ): Promise<Omit<RepairReport, 'ok'>> {
    const patients = records.map((record) => ({
      ...{ vmId: vmIdOf(this.#runtime, record), record, found: [], errors: new Map() },
      ...{ repaired: [], failed: [] },
    }));
    const unseen: Failed[] = [];
    let pending = byVm(patients);
    for (let round = 0; round <= rounds && pending.size > 0; round++) {
      const reading = new HostReading(this.#runtime);
      const treated: Patient[] = [];
      const look = async (vmId: string, lock: HeldLock) => {
        lock.spent = claimsNothing(await this.#runtime.anchors.state(vmId, lock));
        const check = new Check(this.#runtime, this.#further, reading, lock, this.#scope);
        for (const patient of pending.get(vmId) ?? []) {
          if (await this.#treat(check, patient, round < rounds)) treated.push(patient);
        }
      };
      for (const { vmId, error } of await eachVm(look, [...pending.keys()])) {
        unseen.push({ vmId, subject: 'record', message: 'what of it is there could not be seen', error });
      }
      pending = byVm(treated);
    }
    return {
      repaired: patients.flatMap(({ repaired }) => repaired),
      failed: [...patients.flatMap(({ failed }) => failed), ...unseen],
    };
  }

  /** Under the VM's lock. Whether something was put back, of which the next round is to see what came. */
  async #treat(check: Check, patient: Patient, mayFix: boolean): Promise<boolean> {
    const { vmId, errors } = patient;
    const record = await this.#runtime.cache.read(patient.record);
    // Torn down since it was listed, or also set up again: the reading says nothing about that.
    if (record === null || hostLinkName(record) !== hostLinkName(patient.record)) return false;
    const left = await check.run(vmId, record);
    const still = new Set(left.map(textOf));
    const done = patient.found.filter((finding) => !still.has(textOf(finding)));
    patient.repaired.push(...done.map((finding) => ({ vmId, ...asDifference(finding) })));
    if (mayFix && left.some(({ fix }) => fix !== null)) {
      for (const finding of left) await this.#apply(finding, record, errors);
      patient.found = left;
      return true;
    }
    patient.failed.push(
      ...left.map((finding) => ({
        ...{ vmId, ...asDifference(finding) },
        error: errors.get(textOf(finding)) ?? null,
      })),
    );
    return false;
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

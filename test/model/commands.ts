import fc from 'fast-check';
import { expect } from 'vitest';
import type { BackendName } from '../../lib/types.ts';
import type { Expected, Vm } from './expected.ts';
import type { Host } from './host.ts';
import type { Caller, Outcome } from './managers.ts';

/** What may happen, in any order: each does it, and compares what is said of it with the model. */

type Command = fc.AsyncCommand<Expected, Host>;
type Who = 'near' | 'far';

const vmIds = ['vm-1', 'vm-2'] as const;
/** From the first system call to well past the last one. */
const longestMs = { native: 40, cni: 400 } as const;

const command = (
  name: string,
  check: (model: Expected) => boolean,
  run: (model: Expected, host: Host) => Promise<void>,
): Command => ({
  check,
  async run(model, host) {
    await run(model, host);
    await settle(model, host);
  },
  toString: () => name,
});

/** What follows without anybody's doing. */
async function settle(model: Expected, host: Host): Promise<void> {
  for (const vmId of host.inhabited) {
    // A VMM whose VM has gone.
    if (!model.vms.get(vmId)?.inhabited) await host.leave(vmId);
  }
  model.settleLinks();
}

/** The manager that is asked; the other process begins anew when it was killed. */
async function callerOf(who: Who, model: Expected, host: Host): Promise<Caller> {
  if (who === 'near') return host.near;
  if (!model.farOpen) await opened(host.far, model);
  model.farOpen = true;
  return host.far;
}

export async function opened(caller: Caller, model: Expected): Promise<void> {
  expect(await caller.open()).toEqual({ value: [] });
  model.opened();
  await becomeSure(caller, model);
}

/** A link that is gone is beyond repair, and so is a record of what nobody uses. */
export async function repaired(caller: Caller, model: Expected): Promise<void> {
  const failed = resultOf(await caller.repair())
    .map(({ vmId, what }) => ({ vmId: vmId ?? 'the network', what }))
    .filter(({ vmId }) => !model.unsure.has(vmId));
  const expected = model.repaired();
  expect(failed.filter(({ vmId }) => !expected.includes(vmId))).toEqual([]);
  expect([...new Set(failed.map(({ vmId }) => vmId))].sort()).toEqual(expected);
  // What a killed process has left is there still.
  if (model.unsure.size > 0) await opened(caller, model);
}

function resultOf<T>(outcome: Outcome<T>): T {
  if (outcome.code !== undefined) throw new Error(`${outcome.code}: ${outcome.message}`);
  return outcome.value;
}

/** Recovery has made nothing or the whole of what a killed process was about; but a teardown may have come to its cut. */
async function becomeSure(caller: Caller, model: Expected): Promise<void> {
  const listed = resultOf(await caller.list());
  for (const vmId of model.unsure) {
    const found = listed.find((vm) => vm.vmId === vmId);
    model.remove(vmId);
    if (found === undefined) continue;
    expect(found.state).toBe('complete');
    if (resultOf(await caller.check(vmId)).length === 0) model.add(vmId, found.ip);
    else resultOf(await caller.teardown(vmId));
  }
}

const setup = (who: Who, vmId: string) =>
  command(
    `${who}.setup(${vmId})`,
    () => true,
    async (model, host) => {
      const caller = await callerOf(who, model, host);
      const isSure = !model.unsure.has(vmId);
      const refusal = model.refusalOfSetup(vmId);
      const outcome = await caller.setup(vmId);
      if (isSure) expect([vmId, outcome.code ?? null]).toEqual([vmId, refusal]);
      if (outcome.code === undefined) {
        await host.leave(vmId);
        model.add(vmId, outcome.value);
      } else if (isSure) model.refused(vmId);
      else expect(outcome.code).toBe('ERR_ATTACHMENT_EXISTS');
    },
  );

const teardown = (who: Who, vmId: string) =>
  command(
    `${who}.teardown(${vmId})`,
    () => true,
    async (model, host) => {
      const caller = await callerOf(who, model, host);
      const isCorrupt = model.vm(vmId)?.record === 'truncated';
      const { code } = await caller.teardown(vmId);
      expect([vmId, code]).toEqual([vmId, isCorrupt ? 'ERR_RECORD_CORRUPT' : undefined]);
      if (!isCorrupt) model.remove(vmId);
    },
  );

const check = (who: Who, vmId: string) =>
  command(
    `${who}.check(${vmId})`,
    (model) => !model.unsure.has(vmId),
    async (model, host) => {
      const caller = await callerOf(who, model, host);
      const expected = model.check(vmId);
      const outcome = await caller.check(vmId);
      if (typeof expected === 'string') expect(outcome.code).toBe(expected);
      else expect([vmId, resultOf(outcome).length === 0, outcome]).toEqual([vmId, expected, outcome]);
    },
  );

const list = (who: Who) =>
  command(
    `${who}.list()`,
    () => true,
    async (model, host) => {
      const caller = await callerOf(who, model, host);
      const listed = resultOf(await caller.list());
      expect(listed.filter(({ vmId }) => !model.unsure.has(vmId))).toEqual(model.listed);
    },
  );

const gc = (who: Who, keep: readonly string[]) =>
  command(
    `${who}.gc(${keep})`,
    () => true,
    async (model, host) => {
      const caller = await callerOf(who, model, host);
      expect(await caller.gc(keep)).toEqual({ value: [] });
      model.collected(keep);
      await becomeSure(caller, model);
    },
  );

const repair = (who: Who) =>
  command(
    `${who}.repair()`,
    () => true,
    async (model, host) => {
      const caller = await callerOf(who, model, host);
      await repaired(caller, model);
    },
  );

const reopen = (who: Who) =>
  command(
    `${who}.open()`,
    () => true,
    async (model, host) => {
      await opened(host[who], model);
      if (who === 'far') model.farOpen = true;
    },
  );

/** Both at once: one has it, the other is told. */
const race = (vmId: string) =>
  command(
    `race(${vmId})`,
    (model) => !model.vms.has(vmId) && !model.unsure.has(vmId),
    async (model, host) => {
      const far = await callerOf('far', model, host);
      const outcomes = await Promise.all([host.near.setup(vmId), far.setup(vmId)]);
      const [won, ...more] = outcomes.filter(({ code }) => code === undefined);
      expect(more).toEqual([]);
      expect(outcomes.map(({ code }) => code ?? '').sort()).toEqual(['', 'ERR_ATTACHMENT_EXISTS']);
      if (won !== undefined) model.add(vmId, resultOf(won));
    },
  );

/** One collects while the other sets up what is to stay. */
const collectBeside = (vmId: string) =>
  command(
    `gc beside setup(${vmId})`,
    (model) => model.refusalOfSetup(vmId) === null && !model.unsure.has(vmId),
    async (model, host) => {
      const far = await callerOf('far', model, host);
      const [collected, outcome] = await Promise.all([host.near.gc(vmIds), far.setup(vmId)]);
      expect(collected).toEqual({ value: [] });
      const address = resultOf(outcome);
      model.remove(vmId);
      await host.leave(vmId);
      model.collected(vmIds);
      model.add(vmId, address);
      await becomeSure(far, model);
    },
  );

/** The other process is killed while it sets up, or tears down, each of them. */
const crash = (about: readonly string[], afterMs: number) =>
  command(
    `crash(${about} after ${afterMs} ms)`,
    (model) => about.every((vmId) => !model.vms.has(vmId) || model.check(vmId) === true),
    async (model, host) => {
      const far = await callerOf('far', model, host);
      for (const vmId of about) {
        const isThere = model.vms.has(vmId);
        void (isThere ? far.teardown(vmId) : far.setup(vmId));
        model.unsure.add(vmId);
        model.vms.delete(vmId);
      }
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await far.end();
      model.farOpen = false;
    },
  );

const reboot = command(
  'reboot()',
  () => true,
  async (model, host) => {
    await host.reboot();
    model.vms.clear();
    model.unsure.clear();
    await opened(host.near, model);
    model.farOpen = false;
  },
);

const flush = command(
  'nft flush ruleset',
  (model) => model.unsure.size === 0,
  async (model, host) => {
    await host.flush();
    model.flushed();
  },
);

/** Somebody does something to a VM. */
const interfere = (
  name: string,
  vmId: string,
  check: (vm: Vm) => boolean,
  run: (vm: Vm, host: Host) => Promise<unknown>,
) =>
  command(
    `${name} of ${vmId}`,
    (model) => {
      const vm = model.vm(vmId);
      return vm !== null && check(vm);
    },
    async (model, host) => {
      const vm = model.vm(vmId);
      if (vm === null) throw new Error(`${vmId} is not there`);
      await run(vm, host);
      model.settleLinks();
      if (!vm.linked) await host.untilUnlinked(vmId);
    },
  );

const interferences: readonly ((vmId: string) => Command)[] = [
  (vmId) =>
    interfere(
      'delete the record',
      vmId,
      ({ record }) => record !== 'deleted',
      async (vm, host) => {
        await host.deleteRecord(vmId);
        vm.record = 'deleted';
      },
    ),
  (vmId) =>
    interfere(
      'truncate the record',
      vmId,
      ({ record }) => record === 'whole',
      async (vm, host) => {
        await host.truncateRecord(vmId);
        vm.record = 'truncated';
      },
    ),
  (vmId) =>
    interfere(
      'delete the link',
      vmId,
      ({ linked }) => linked,
      async (vm, host) => {
        await host.deleteLink(vmId);
        vm.linked = false;
      },
    ),
  (vmId) =>
    interfere(
      'unmount the namespace',
      vmId,
      ({ named }) => named,
      async (vm, host) => {
        await host.unname(vmId);
        vm.named = false;
      },
    ),
  (vmId) =>
    interfere(
      'remove the address',
      vmId,
      ({ reserved }) => reserved,
      async (vm, host) => {
        await host.removeAddress(vm.ip);
        vm.reserved = false;
      },
    ),
  (vmId) =>
    interfere(
      'begin the VMM',
      vmId,
      ({ named, inhabited }) => named && !inhabited,
      async (vm, host) => {
        await host.inhabit(vmId);
        vm.inhabited = true;
      },
    ),
  (vmId) =>
    interfere(
      'end the VMM',
      vmId,
      ({ inhabited }) => inhabited,
      async (vm, host) => {
        await host.leave(vmId);
        vm.inhabited = false;
      },
    ),
];

const who = fc.constantFrom<Who[]>('near', 'far');
const vmId = fc.constantFrom(...vmIds);

export function commandsOf(backend: BackendName): fc.Arbitrary<Iterable<Command>> {
  const about = fc.uniqueArray(vmId, { minLength: 1 });
  const afterMs = fc.integer({ min: 0, max: longestMs[backend] });
  const both = fc.tuple(who, vmId);
  const weighted = [
    ...Array.from({ length: 3 }, () => both.map((args) => setup(...args))),
    ...[both.map((args) => teardown(...args)), both.map((args) => check(...args)), who.map(list)],
    ...[fc.tuple(who, fc.subarray([...vmIds])).map((args) => gc(...args)), who.map(repair), who.map(reopen)],
    ...[vmId.map(race), vmId.map(collectBeside), fc.tuple(about, afterMs).map((args) => crash(...args))],
    ...[fc.constant(reboot), fc.constant(flush)],
    ...[...interferences, ...interferences].map((interference) => vmId.map(interference)),
  ];
  return fc.commands(weighted, { maxCommands: 40, size: 'max' });
}

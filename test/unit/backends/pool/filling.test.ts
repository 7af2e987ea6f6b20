import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Stop } from '../../../../lib/async/stop.ts';
import { Filling } from '../../../../lib/backends/pool/filling.ts';
import type { Slot } from '../../../../lib/backends/pool/slot.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const noMemory = new Error('no memory');

/** Wants `missing` slots, each of which takes 10 ms to build, or to be refused; who is stopped rejects at once. */
function filling(missing: number, { refuse = false, ready = 0 } = {}) {
  const seen = { begun: 0, built: 0, failures: [] as number[], atOnce: 0, most: 0 };
  let wanted = missing;
  const build = (stop: Stop) => {
    seen.begun += 1;
    seen.atOnce += 1;
    seen.most = Math.max(seen.most, seen.atOnce);
    return new Promise<Slot>((resolve, reject) => {
      stop.onStop(() => reject(new Error('stopped')));
      setTimeout(() => (refuse ? reject(noMemory) : resolve({ handle: seen.begun } as Slot)), 10);
    }).finally(() => {
      seen.atOnce -= 1;
    });
  };
  const subject = new Filling({
    missing: () => wanted - seen.built,
    hasReady: () => ready > 0,
    build,
    built: () => {
      seen.built += 1;
    },
    failed: (error, inARow) => {
      expect(error).toBe(noMemory);
      seen.failures.push(inARow);
    },
  });
  const want = (count: number) => {
    wanted = count;
    subject.adjust();
  };
  return { subject, seen, want };
}

/** Of one that takes so long to get its slot. */
const caller = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));

it('builds what is missing, one at a time', async () => {
  const { subject, seen } = filling(5);
  subject.adjust();
  subject.adjust();
  await vi.advanceTimersByTimeAsync(1);
  expect(subject.isBuilding).toBe(true);
  await vi.advanceTimersByTimeAsync(100);
  expect(seen).toMatchObject({ built: 5, begun: 5, most: 1 });
  expect(subject.isBuilding).toBe(false);
});

it('goes on where a build that was given up takes longer to end than its pause', async () => {
  let builds = 0;
  let built = 0;
  const build = () =>
    new Promise<Slot>((resolve, reject) => {
      builds += 1;
      if (builds > 1) resolve({ handle: builds } as Slot);
      else setTimeout(() => reject(new Error('stopped')), 1_000);
    });
  const subject = new Filling({
    ...{ missing: () => 1 - built, hasReady: () => false, build },
    built: () => {
      built += 1;
    },
    failed: (error) => expect(error).toBeUndefined(),
  });
  subject.adjust();
  await vi.advanceTimersByTimeAsync(1);
  const given = subject.giveUp();
  await vi.advanceTimersByTimeAsync(1_000);
  expect([await given, builds, built]).toEqual([true, 2, 1]);
});

it('waits for nobody whose naming has ended', async () => {
  const { subject, seen, want } = filling(0);
  const naming = caller(60_000);
  subject.beginNaming(naming);
  subject.endNaming(naming);
  want(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(seen.begun).toBe(1);
});

it('lets those who came before have their slots first, and those who come later wait for one slot', async () => {
  const { subject, seen } = filling(2);
  subject.beginNaming(caller(30));
  await vi.advanceTimersByTimeAsync(10);
  subject.beginNaming(caller(1_000));
  await vi.advanceTimersByTimeAsync(15);
  expect(seen.begun).toBe(0);
  await vi.advanceTimersByTimeAsync(10);
  expect(seen.begun).toBe(1);
});

it('begins when nobody has come for a while, as long as slots are ready', async () => {
  const { subject, seen } = filling(2, { ready: 10 });
  for (let called = 0; called < 10; called++) {
    const naming = caller(0);
    subject.beginNaming(naming);
    await vi.advanceTimersByTimeAsync(3);
    subject.endNaming(naming);
  }
  expect(seen.begun).toBe(0);
  await vi.advanceTimersByTimeAsync(5);
  expect(seen.begun).toBe(1);
  // In the midst of it nobody is waited for twice.
  subject.beginNaming(caller(0));
  await vi.advanceTimersByTimeAsync(20);
  expect(seen.built).toBe(2);
});

it('begins when those who leave pause, whether or not slots are ready, and goes on between two rows of them', async () => {
  const { subject, seen } = filling(3);
  const leave = async (vms: number) => {
    for (let left = 0; left < vms; left++) {
      subject.leaving();
      await vi.advanceTimersByTimeAsync(3);
    }
  };
  subject.leaving();
  subject.adjust();
  await leave(5);
  expect(seen.begun).toBe(0);
  await vi.advanceTimersByTimeAsync(5);
  expect(seen.begun).toBe(1);
  await leave(5);
  expect(seen).toMatchObject({ begun: 1, built: 1 });
  await vi.advanceTimersByTimeAsync(30);
  expect(seen.built).toBe(3);
});

it('builds one after the other though VMs never cease to leave', async () => {
  const { subject, seen } = filling(100);
  const leaving = setInterval(() => subject.leaving(), 1);
  await vi.advanceTimersByTimeAsync(1);
  subject.adjust();
  await vi.advanceTimersByTimeAsync(45);
  expect(seen.begun).toBe(0);
  await vi.advanceTimersByTimeAsync(205);
  expect(seen.built).toBeGreaterThan(15);
  clearInterval(leaving);
});

it('begins soon all the same, however many come', async () => {
  const { subject, seen } = filling(100, { ready: 10 });
  const call = setInterval(() => subject.beginNaming(caller(0)), 1);
  await vi.advanceTimersByTimeAsync(45);
  expect(seen.begun).toBe(0);
  await vi.advanceTimersByTimeAsync(10);
  expect(seen.begun).toBe(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(seen.built).toBeGreaterThan(10);
  clearInterval(call);
});

it('has nothing to give up, and is settled at once, while it waits for callers to pause', async () => {
  const { subject, seen } = filling(1, { ready: 1 });
  subject.beginNaming(caller(0));
  expect(await subject.giveUp()).toBe(false);
  await subject.settle();
  await vi.advanceTimersByTimeAsync(100);
  expect(seen.begun).toBe(0);
});

it('waits for no caller long, and for none twice', async () => {
  const { subject, seen } = filling(4);
  subject.beginNaming(caller(60_000));
  await vi.advanceTimersByTimeAsync(45);
  expect([seen.begun, subject.isBuilding]).toEqual([0, false]);
  await vi.advanceTimersByTimeAsync(10);
  expect(seen.begun).toBe(1);
  await vi.advanceTimersByTimeAsync(40);
  expect(seen.built).toBe(4);
});

it('has nothing to give up, and is settled at once, while it waits for callers', async () => {
  const { subject, seen } = filling(1);
  subject.beginNaming(caller(60_000));
  expect(await subject.giveUp()).toBe(false);
  await subject.settle();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(seen.begun).toBe(0);
  subject.adjust();
  await vi.advanceTimersByTimeAsync(100);
  expect(seen.built).toBe(1);
});

it('is not kept waiting by callers who failed', async () => {
  const { subject, seen } = filling(1);
  const failing = Promise.reject(noMemory);
  subject.beginNaming(failing);
  await expect(failing).rejects.toBe(noMemory);
  await vi.advanceTimersByTimeAsync(10);
  expect(seen.built).toBe(1);
});

it('pauses after a failure, twice as long after the next', async () => {
  const { subject, seen } = filling(1, { refuse: true });
  subject.adjust();
  await vi.advanceTimersByTimeAsync(209);
  expect(seen.failures).toEqual([1]);
  await vi.advanceTimersByTimeAsync(11);
  expect(seen.failures).toEqual([1, 2]);
  await vi.advanceTimersByTimeAsync(399);
  expect(seen.begun).toBe(2);
  await vi.advanceTimersByTimeAsync(20_000);
  // By then one every five seconds.
  expect(seen.failures.length).toBeGreaterThan(5);
  expect(seen.failures.length).toBeLessThan(9);
  subject.end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen.failures.length).toBeLessThan(9);
  expect(vi.getTimerCount()).toBe(0);
});

it('gives up what is being built, and goes on after a pause', async () => {
  const { subject, seen } = filling(1);
  expect(await subject.giveUp()).toBe(false);
  subject.adjust();
  await vi.advanceTimersByTimeAsync(5);
  expect(await subject.giveUp()).toBe(true);
  expect([seen.begun, seen.built, seen.failures]).toEqual([1, 0, []]);
  expect(subject.isBuilding).toBe(false);
  await vi.advanceTimersByTimeAsync(200);
  expect(seen.built).toBe(1);
});

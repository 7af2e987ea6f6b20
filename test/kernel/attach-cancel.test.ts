import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeEach, expect, it } from 'vitest';
import type { AttachPlan, ReservedAddress } from '../../lib/native/attachment.ts';
import type { NativeError } from '../../lib/native/error.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { native } from '../support/native.ts';
import { describeWith } from '../support/require.ts';
import { attach, attachPlan, detach, locksDir, storeDir, usedLab } from './attach-lab.ts';

const vm = 'a1';
let lastTaskId = 1_000_000;

/** Attaches, and cancels after `body`; the addresses, when it had won by then. */
async function cancelled(
  body: () => Promise<unknown> | unknown,
  who = vm,
): Promise<NativeError | readonly ReservedAddress[]> {
  const taskId = ++lastTaskId;
  const outcome = attach(who, { plan: { taskId } }).catch((failure: NativeError) => failure);
  await body();
  native.cancel(taskId);
  return outcome;
}

/** Another process with the lock of the address store. */
async function holdStore(): Promise<() => Promise<void>> {
  const child = spawn('flock', [`${storeDir}/lock`, 'sh', '-c', 'echo held; read line'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return async () => {
    const ended = once(child, 'exit');
    child.stdin.end();
    await ended;
  };
}

function hasty(): AttachPlan {
  const plan = attachPlan(vm);
  return { ...plan, locks: { ...plan.locks, timeoutMs: 30 } };
}

/** It has begun, and waits, once what the same thread was asked for after it is done. */
const itsWait = () => native.guardList({});

const longestUs = 500_000;

function spin(us: number): void {
  const until = performance.now() + us / 1000;
  while (performance.now() < until);
}

describeWith(['tun'], 'a cancelled attach', () => {
  beforeEach(usedLab);

  it('waits for the lock of its VM, and does nothing', async () => {
    const before = await canonicalDump();
    const lock = await native.lockAcquire({
      directory: locksDir,
      name: vm,
      mode: 'exclusive',
      timeoutMs: 1_000,
    });
    expect(await cancelled(itsWait)).toMatchObject({ code: 'ECANCELED', step: 'lock' });
    await native.lockRelease({ lock, remove: true });
    await expectUnchanged(before);
  });

  it('waits for the lock of the store, and does nothing', async () => {
    const before = await canonicalDump();
    const letGo = await holdStore();
    expect(await cancelled(itsWait)).toMatchObject({ code: 'ECANCELED', step: 'address' });
    await expectUnchanged(before);
    await letGo();
    await attach(vm);
  });

  it('gives up when its time is over, waiting for the lock of its VM', async () => {
    const lock = await native.lockAcquire({ directory: locksDir, name: vm, mode: 'shared', timeoutMs: 0 });
    const rejection = { code: 'ETIMEDOUT', step: 'lock', reason: 'lock-held', path: `${locksDir}/${vm}` };
    await expect(native.attach(hasty())).rejects.toMatchObject(rejection);
    await native.lockRelease({ lock, remove: true });
  });

  it('gives up when its time is over, waiting for the lock of the store', async () => {
    const before = await canonicalDump();
    const letGo = await holdStore();
    await expect(native.attach(hasty())).rejects.toMatchObject({
      code: 'ETIMEDOUT',
      step: 'address',
      reason: 'lock-held',
    });
    await letGo();
    await expectUnchanged(before);
  });

  it('is whole or nothing, whenever that is', async () => {
    const before = await canonicalDump();
    const steps = new Set<string>();
    // On a busy host it begins later, and takes longer.
    const isEnough = (delayUs: number) => delayUs > (steps.size < 2 ? longestUs : 3_000);
    for (let delayUs = 0, round = 0; !isEnough(delayUs); delayUs += Math.max(100, delayUs / 8), round += 1) {
      // A name for each: the kernel keeps a link's until it has freed it.
      const who = `b${round}`;
      const outcome = await cancelled(() => spin(delayUs), who);
      if (outcome instanceof Error) {
        expect(outcome).toMatchObject({ code: 'ECANCELED' });
        expect(outcome.undoErrors).toBeUndefined();
        steps.add(outcome.step ?? 'never begun');
      } else {
        await detach(who, outcome);
      }
    }
    await expectUnchanged(before);
    expect(steps.size).toBeGreaterThanOrEqual(2);
  });
});

import { expect, it } from 'vitest';
import { KeyedMutex } from '../../../lib/async/mutex.ts';
import { Stopper } from '../../../lib/async/stop.ts';
import { AbortError } from '../../../lib/errors.ts';

const never = new Stopper();

/** Work that is under way until told to end. */
function pending() {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { work: () => ended, end };
}

it('runs the work of one key in the order of asking, one at a time', async () => {
  const mutex = new KeyedMutex();
  const order: string[] = [];
  const step = (name: string) => async () => {
    order.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    order.push(`${name} ends`);
  };
  await Promise.all([mutex.run('a', never, step('1')), mutex.run('a', never, step('2'))]);
  expect(order).toEqual(['1 begins', '1 ends', '2 begins', '2 ends']);
});

it('lets other keys pass', async () => {
  const mutex = new KeyedMutex();
  const first = pending();
  const held = mutex.run('a', never, first.work);
  await expect(mutex.run('b', never, async () => 'passed')).resolves.toBe('passed');
  first.end();
  await held;
});

it('goes on after work that failed', async () => {
  const mutex = new KeyedMutex();
  const failed = mutex.run('a', never, async () => {
    throw new Error('failed');
  });
  await expect(failed).rejects.toThrow('failed');
  await expect(mutex.run('a', never, async () => 'next')).resolves.toBe('next');
});

it('whoever is stopped while waiting is passed over', async () => {
  const mutex = new KeyedMutex();
  const first = pending();
  const held = mutex.run('a', never, first.work);
  const stopper = new Stopper();
  const second = mutex.run('a', stopper, async () => 'second');
  const third = mutex.run('a', never, async () => 'third');
  stopper.stop(null);
  await expect(second).rejects.toThrow(AbortError);
  first.end();
  await held;
  await expect(third).resolves.toBe('third');
});

it('does not begin for whom is stopped already', async () => {
  const mutex = new KeyedMutex();
  let began = false;
  const stopper = new Stopper();
  stopper.stop(null);
  const run = mutex.run('a', stopper, async () => {
    began = true;
  });
  await expect(run).rejects.toThrow(AbortError);
  expect(began).toBe(false);
});

it('passes over whom is stopped, however many wait before and after', async () => {
  const mutex = new KeyedMutex();
  const first = pending();
  const order: number[] = [];
  const held = mutex.run('a', never, first.work);
  const stoppers = Array.from({ length: 6 }, () => new Stopper());
  const runs = stoppers.map((stopper, index) =>
    mutex.run('a', stopper, async () => {
      order.push(index);
    }),
  );
  for (const index of [0, 3, 5]) stoppers[index]?.stop(null);
  const outcomes = Promise.allSettled(runs);
  first.end();
  await held;
  expect((await outcomes).map(({ status }) => status === 'fulfilled')).toEqual([
    ...[false, true, true, false, true, false],
  ]);
  expect(order).toEqual([1, 2, 4]);
  await expect(mutex.run('a', never, async () => 'free')).resolves.toBe('free');
});

it('is too late to stop when the turn has come', async () => {
  const mutex = new KeyedMutex();
  const stopper = new Stopper();
  const first = pending();
  const held = mutex.run('a', never, first.work);
  const second = mutex.run('a', stopper, async () => 'second');
  first.end();
  await held;
  stopper.stop(null);
  await expect(second).resolves.toBe('second');
});

import { expect, it } from 'vitest';
import { Stopper } from '../../../lib/async/stop.ts';

it('calls who watches once, in the order of asking, with the first reason', () => {
  const stopper = new Stopper();
  const calls: string[] = [];
  for (const each of ['a', 'b', 'c']) stopper.onStop(() => calls.push(`${each}: ${stopper.reason}`));
  stopper.stop('first');
  stopper.stop('second');
  expect(calls).toEqual(['a: first', 'b: first', 'c: first']);
  expect([stopper.stopped, stopper.reason]).toEqual([true, 'first']);
});

it('does not call whose watch has ended, wherever it stood, however often it is ended', () => {
  const stopper = new Stopper();
  const calls: number[] = [];
  const watches = [0, 1, 2, 3, 4].map((each) => stopper.onStop(() => calls.push(each)));
  for (const each of [0, 2, 2, 4]) watches[each]?.end();
  stopper.onStop(() => calls.push(5));
  stopper.stop(null);
  expect(calls).toEqual([1, 3, 5]);
  for (const watch of watches) watch.end();
});

it('calls all who watched when it stopped, and nobody who comes later', () => {
  const stopper = new Stopper();
  const calls: string[] = [];
  const [first] = [
    stopper.onStop(() => {
      calls.push('first');
      second.end();
      first.end();
      stopper.onStop(() => calls.push('late'));
    }),
  ] as const;
  const second = stopper.onStop(() => calls.push('second'));
  stopper.stop(null);
  stopper.onStop(() => calls.push('later'));
  stopper.stop(null);
  expect(calls).toEqual(['first', 'second']);
});

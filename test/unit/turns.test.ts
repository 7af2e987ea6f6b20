import { describe, expect, it } from 'vitest';
import { Turns } from '../../lib/turns.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('what many begin at once', () => {
  it('begins bit by bit, in the order of coming', async () => {
    const turns = new Turns();
    const begun: number[] = [];
    const begin = async (index: number) => {
      await turns.next();
      begun.push(index);
    };
    const all = Promise.all(Array.from({ length: 40 }, (_value, index) => begin(index)));
    const counts: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      await nextTurn();
      counts.push(begun.length);
    }
    await all;
    expect(counts).toEqual([32, 40, 40, 40]);
    expect(begun).toEqual(Array.from({ length: 40 }, (_value, index) => index));
  });

  it('is not kept waiting where there are few', async () => {
    const turns = new Turns();
    for (let turn = 0; turn < 3; turn += 1) {
      expect(Array.from({ length: 16 }, () => turns.next())).toEqual(Array(16).fill(null));
      await nextTurn();
    }
  });
});

import { expect, it } from 'vitest';
import { describeBackends } from '../contract/fixture.ts';
import { soak } from '../proof/soak.mjs';

const cycles = 500;

describeBackends(
  'a long life',
  (lab) => {
    it(`of ${cycles} cycles leaves descriptors, memory, links, elements and files where they began`, async () => {
      const manager = await lab.open();
      const { counts } = await soak({ manager, cycles, slab: false });
      expect(counts).toMatchObject({ anchors: 50, links: 52 });
    });
  },
  ['native'],
);

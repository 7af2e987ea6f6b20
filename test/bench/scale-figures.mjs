/** What the table of many VMs at once shows. */
import { along, median } from './stats.mjs';

const WINDOW = 25;

/** @param {ReadonlyMap<string, readonly object[]>} lives by layout, what each round measured */
export const liveFigures = (lives) =>
  [...lives].map(([layout, own]) => {
    const of = (pick) => median(own.map(pick));
    const points = along(
      own.map(({ setup }) => setup),
      WINDOW,
    );
    return {
      layout,
      VMs: own[0].setup.length,
      'built in s': of(({ buildMs }) => buildMs / 1000),
      'p50 ms near the 100th': points.find(({ n }) => n === 100).value,
      'p50 ms near the last': points.at(-1).value,
      'close returns after s': of(({ closeMs }) => closeMs / 1000),
      'all gone after s': of(({ goneMs }) => goneMs / 1000),
      'KiB a VM (MemAvailable)': of(({ kibPerVm }) => kibPerVm.available),
      'KiB a VM (slab, percpu, stacks, page tables)': of(({ kibPerVm }) => kibPerVm.kernel),
      rules: Math.max(...own.flatMap(({ seen }) => seen.map(({ rules }) => rules))),
    };
  });

/** @param {readonly object[]} own what each round of one layout measured */
export const mountFigures = (own) =>
  own[0].seen.map(({ n }, index) => {
    const of = (key) => median(own.map(({ seen }) => seen[index].mounts[key]));
    return { names: n, 'p50 ms': of('p50'), 'p99 ms': of('p99') };
  });

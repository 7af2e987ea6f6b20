import { defineConfig } from 'vitest/config';

/** One project per folder. All but `unit` share the lab's kernel state, so their files run one at a time. */
function project(name: string, groupOrder: number, testTimeout: number, hookTimeout = testTimeout) {
  const unit = name === 'unit';
  return {
    extends: true as const,
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      testTimeout,
      hookTimeout,
      maxWorkers: unit ? 2 : 1,
      fileParallelism: unit,
      sequence: { groupOrder },
      setupFiles: unit || name === 'types' ? [] : ['test/support/inside-lab.ts'],
    },
  };
}

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    pool: 'forks',
    passWithNoTests: true,
    reporters: ['default'],
    projects: [
      project('unit', 0, 10_000),
      project('types', 1, 120_000),
      project('native', 2, 60_000),
      project('kernel', 3, 30_000),
      project('contract', 4, 60_000),
      project('lifecycle', 5, 60_000),
      project('faults', 6, 300_000),
      project('model', 7, 120_000),
      project('examples', 8, 60_000),
      project('guest', 9, 300_000),
      project('package', 10, 1_500_000),
    ],
  },
});

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
      setupFiles: unit ? [] : ['test/support/inside-lab.ts'],
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
      project('unit', 0, 30_000),
      project('native', 1, 60_000),
      project('kernel', 2, 60_000, 90_000),
      project('contract', 3, 60_000),
      project('lifecycle', 4, 60_000),
      project('faults', 5, 900_000),
      project('model', 6, 120_000),
      project('examples', 7, 60_000),
      project('guest', 8, 300_000),
      project('package', 9, 1_500_000),
    ],
  },
});

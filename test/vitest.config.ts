import { defineConfig } from 'vitest/config';

/** One project per folder. All but `unit` share the lab's kernel state, so their files run one at a time. */
function project(name: string, groupOrder: number, timeoutMs: number) {
  const unit = name === 'unit';
  return {
    extends: true as const,
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      maxWorkers: unit ? 2 : 1,
      fileParallelism: unit,
      sequence: { groupOrder },
      setupFiles: unit ? ['test/support/seed.ts'] : ['test/support/inside-lab.ts'],
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
      project('unit', 0, 120_000),
      project('native', 1, 300_000),
      project('kernel', 2, 300_000),
      project('contract', 3, 300_000),
      project('lifecycle', 4, 300_000),
      project('faults', 5, 900_000),
      project('model', 6, 120_000),
      project('examples', 7, 300_000),
      project('guest', 8, 600_000),
      project('package', 9, 5_400_000),
    ],
  },
});

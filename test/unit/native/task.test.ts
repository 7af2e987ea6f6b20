import { expect, it, vi } from 'vitest';
import { native } from '../../support/native.ts';

async function evaluated() {
  vi.resetModules();
  return import('../../../lib/native/task.ts');
}

it('numbers tasks of one addon in one sequence, however often the module is evaluated', async () => {
  const [first, second] = [await evaluated(), await evaluated()];
  expect(first.runTask).not.toBe(second.runTask);
  const ids: number[] = [];
  const limits = { timeoutMs: 60_000, stdoutLimit: 1, stderrLimit: 1 };
  const sleep = { file: '/bin/sleep', args: ['60'], env: [], stdin: '', ...limits };
  const asleep = first.runTask(native, undefined, (taskId) => {
    ids.push(taskId);
    return native.exec({ ...sleep, taskId });
  });
  // Refused or killed, whichever the cancellation was in time for.
  const ended = Promise.allSettled([asleep]);
  const read = second.runTask(native, undefined, (taskId) => {
    ids.push(taskId);
    return native.sysctlRead({ key: 'kernel/ostype', taskId });
  });
  const [id = 0, next = 0] = ids;
  native.cancel(id);
  expect(next).toBe(id + 1);
  await expect(read).resolves.toBe('Linux');
  await ended;
});

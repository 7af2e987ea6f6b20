import { describe, expect, it } from 'vitest';
import { native } from '../../support/native.ts';

const { exec, fileRead, lockAcquire, sysctlRead } = native as unknown as Record<
  string,
  (plan?: unknown) => Promise<unknown>
>;
if (!exec || !fileRead || !lockAcquire || !sysctlRead) throw new Error('the addon lacks functions');

const execPlan = { file: '/bin/true', env: [], stdin: '', timeoutMs: 60_000, stdoutLimit: 1, stderrLimit: 1 };

/** TypeScript validates; what reaches the addon with a wrong type is a mistake, and says so at once. */
describe('a plan of the wrong type', () => {
  it.each([
    ['no plan', () => sysctlRead(1), 'plan must be an object'],
    ['a missing field', () => sysctlRead({}), 'key must be a string'],
    ['a string', () => sysctlRead({ key: 5 }), 'key must be a string'],
    ['a string with NUL', () => sysctlRead({ key: 'net\0' }), 'key must be a string without NUL'],
    ['a number', () => exec({ ...execPlan, timeoutMs: '5' }), 'timeoutMs must be a number'],
    ['an integer', () => exec({ ...execPlan, timeoutMs: 1.5 }), 'timeoutMs must be an integer in range'],
    [
      'not a number',
      () => exec({ ...execPlan, timeoutMs: Number.NaN }),
      'timeoutMs must be an integer in range',
    ],
    ['a size', () => exec({ ...execPlan, stdoutLimit: -1 }), 'stdoutLimit must be an integer in range'],
    ['a list', () => exec({ ...execPlan, env: 'A=1' }), 'env must be an array of strings'],
    ['a list of strings', () => exec({ ...execPlan, env: [1] }), 'env must be an array of strings'],
    ['a lock', () => exec({ ...execPlan, lock: 99 }), 'lock must be a lock that is held'],
    [
      'a mode',
      () => lockAcquire({ directory: '/tmp', name: 'a', mode: 'both', timeoutMs: 1 }),
      'mode must be "exclusive" or "shared"',
    ],
    [
      'a task',
      () => fileRead({ directory: '/', name: 'a', limit: 1, taskId: -1 }),
      'taskId must be an integer',
    ],
  ])('throws a TypeError that names it: %s', (_what, call, message) => {
    expect(call).toThrow(TypeError);
    expect(call).toThrow(message);
  });

  it('knows an undefined field from a present one', async () => {
    await expect(sysctlRead({ key: 'net/ipv4/ip_forward', taskId: undefined })).resolves.toMatch(/^[01]$/);
  });
});

describe('cancel', () => {
  it('ignores tasks that it does not know', () => {
    expect(() => native.cancel(4_000_000_000)).not.toThrow();
  });

  it('ends a task with ECANCELED, whichever way it waits', async () => {
    const task = native.exec({
      ...execPlan,
      file: '/bin/sleep',
      args: ['100'],
      taskId: 7,
    });
    native.cancel(7);
    // Before its start it rejects; once it runs, it is killed.
    await task.then(
      (result) => expect(result).toMatchObject({ cancelled: true, signal: 'SIGKILL' }),
      (error) => expect(error).toMatchObject({ code: 'ECANCELED', errno: -125 }),
    );
  });

  it('refuses an id that is in use, and takes it again afterwards', async () => {
    const plan = { ...execPlan, taskId: 8 };
    const first = native.exec(plan);
    expect(() => native.exec(plan)).toThrow('taskId is in use');
    await first;
    await expect(native.exec(plan)).resolves.toMatchObject({ exitCode: 0 });
  });
});

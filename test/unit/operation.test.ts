import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Stopper } from '../../lib/async/stop.ts';
import { AbortError, NetworkError } from '../../lib/errors.ts';
import { inScope, type Scope } from '../../lib/operation.ts';

const untilAborted = ({ signal }: Scope): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new AbortError(true)));
  });

it('names the verb, the VM and the network in an error', async () => {
  const failed = inScope({ operation: 'setup', network: 'n', vmId: 'v', timeoutMs: 1000 }, async () => {
    throw new NetworkError('ERR_KERNEL', 'no');
  });
  await expect(failed).rejects.toMatchObject({
    ...{ code: 'ERR_KERNEL', operation: 'setup', network: 'n', vmId: 'v' },
  });
});

it('lets an error speak for itself about its VM', async () => {
  const failed = inScope({ operation: 'gc', network: 'n', timeoutMs: 1000 }, async () => {
    throw new NetworkError('ERR_KERNEL', 'no', { vmId: 'other' });
  });
  await expect(failed).rejects.toMatchObject({ vmId: 'other', network: 'n' });
});

it('ERR_TIMEOUT says what it was waiting for, and whether the undo was complete', async () => {
  const failed = inScope({ operation: 'setup', vmId: 'v', timeoutMs: 5 }, (scope) => {
    scope.step = 'plugin:bridge ADD';
    return untilAborted(scope);
  });
  await expect(failed).rejects.toMatchObject({
    code: 'ERR_TIMEOUT',
    step: 'plugin:bridge ADD',
    rolledBack: true,
    message: 'setup v did not finish within 5 ms; it was at step plugin:bridge ADD',
  });
});

it('rejects with AbortError and the reason of the user', async () => {
  const controller = new AbortController();
  const verb = { operation: 'setup', network: 'n', vmId: 'v', timeoutMs: 1000 } as const;
  const failed = inScope({ ...verb, signal: controller.signal }, (scope) => {
    scope.step = 'plugin:bridge ADD';
    return untilAborted(scope);
  });
  controller.abort('enough');
  await expect(failed).rejects.toMatchObject({
    ...{ name: 'AbortError', code: 'ABORT_ERR', cause: 'enough', rolledBack: true },
    ...{ operation: 'setup', network: 'n', vmId: 'v', step: 'plugin:bridge ADD' },
    message: 'The operation was aborted: setup v, at step plugin:bridge ADD',
  });
});

it('rejects with ERR_CLOSED when the manager closes', async () => {
  const closing = new Stopper();
  const failed = inScope({ operation: 'setup', timeoutMs: 1000, closing }, untilAborted);
  closing.stop(null);
  await expect(failed).rejects.toMatchObject({ code: 'ERR_CLOSED', rolledBack: true });
});

it('the first of several endings counts', async () => {
  const [user, closing] = [new AbortController(), new Stopper()];
  const failed = inScope({ operation: 'setup', timeoutMs: 1000, signal: user.signal, closing }, untilAborted);
  user.abort('first');
  closing.stop(null);
  await expect(failed).rejects.toMatchObject({ name: 'AbortError', cause: 'first' });
});

it('an abort that comes too late changes nothing', async () => {
  const controller = new AbortController();
  const done = await inScope({ operation: 'setup', timeoutMs: 1000, signal: controller.signal }, async () => {
    controller.abort();
    return 'done';
  });
  expect(done).toBe('done');
});

it('lets one signal stop any number of verbs, without a warning of leaks', async () => {
  const warnings: string[] = [];
  const onWarning = ({ name }: Error) => warnings.push(name);
  process.on('warning', onWarning);
  const { signal } = new AbortController();
  const verbs = Array.from({ length: 64 }, () =>
    inScope({ operation: 'setup', timeoutMs: 1000, signal }, () => setTimeout(20)),
  );
  await Promise.all(verbs);
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});

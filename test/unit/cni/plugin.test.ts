import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findPlugin } from '../../../lib/cni/find.ts';
import { callPlugin, type PluginCall, type PluginEvent } from '../../../lib/cni/plugin.ts';
import { isNetworkError, type NetworkError } from '../../../lib/errors.ts';
import { type Answer, FakeRunner, golden, systemError } from './fakes.ts';

const call: PluginCall = {
  type: 'bridge',
  command: 'ADD',
  path: '/plugins/bridge',
  env: ['CNI_COMMAND=ADD'],
  stdin: '{}',
  timeoutMs: 1000,
};

const outcome = (answer: Answer) => callPlugin(new FakeRunner(() => answer), call);

describe('a plugin’s run', () => {
  it('gives what it printed, and tells how it went', async () => {
    const events: PluginEvent[] = [];
    const runner = new FakeRunner(() => ({ stdout: '{"a":1}', stderr: 'a warning', durationMs: 7 }));
    const its = { vmId: 'vm-1', containerId: 'c-1' };
    expect(await callPlugin(runner, { ...call, ...its, lock: 5 }, (event) => events.push(event))).toBe(
      '{"a":1}',
    );
    expect(events).toEqual([
      { type: 'bridge', command: 'ADD', ...its, durationMs: 7, exitCode: 0, signal: null, timedOut: false },
    ]);
    expect(runner.seen[0]?.plan).toMatchObject({
      file: '/plugins/bridge',
      stdin: '{}',
      timeoutMs: 1000,
      lock: 5,
    });
  });

  it.each<[string, Answer, string, RegExp, object]>([
    [
      'runs too long',
      { timedOut: true, signal: 'SIGKILL', exitCode: null, durationMs: 1000.4 },
      'ERR_PLUGIN_TIMEOUT',
      /within 1000 ms/,
      { signal: 'SIGKILL' },
    ],
    [
      'prints too much',
      { stdoutOverflow: true, signal: 'SIGKILL', exitCode: null },
      'ERR_PLUGIN_OUTPUT_TOO_LARGE',
      /more than/,
      {},
    ],
    [
      'is killed',
      { signal: 'SIGSEGV', exitCode: null, stdout: '{}' },
      'ERR_PLUGIN_KILLED',
      /ended by SIGSEGV/,
      { signal: 'SIGSEGV', exitCode: null },
    ],
    [
      'fails silently',
      { exitCode: 1 },
      'ERR_PLUGIN_SILENT',
      /exited with 1 and printed nothing/,
      { exitCode: 1 },
    ],
    [
      'says why on stderr alone',
      { exitCode: 2, stderr: 'oh no\n' },
      'ERR_PLUGIN_SILENT',
      /"oh no"/,
      { stderr: 'oh no\n' },
    ],
    [
      'prints garbage',
      { exitCode: 1, stdout: 'Segfault?' },
      'ERR_PLUGIN_OUTPUT_INVALID',
      /"Segfault\?"/,
      { exitCode: 1 },
    ],
    [
      'prints JSON that is no error',
      { exitCode: 1, stdout: '{"ips":[]}' },
      'ERR_PLUGIN_OUTPUT_INVALID',
      /neither code nor msg/,
      {},
    ],
    ['prints a list', { exitCode: 1, stdout: '[]' }, 'ERR_PLUGIN_OUTPUT_INVALID', /no CNI error/, {}],
    [
      'prints long garbage',
      { exitCode: 1, stdout: 'x'.repeat(9999) },
      'ERR_PLUGIN_OUTPUT_INVALID',
      /^.{0,400}$/s,
      {},
    ],
    [
      'reports an error',
      { exitCode: 1, stdout: '{"code":11,"msg":"m","details":"d"}', stderr: 's' },
      'ERR_PLUGIN_FAILED',
      /plugin bridge \(ADD\): m; d/,
      { code: 11, msg: 'm', details: 'd', stderr: 's' },
    ],
    [
      'cannot do the version',
      { exitCode: 1, stdout: golden('errors/badver.out') },
      'ERR_VERSION_UNSUPPORTED',
      /incompatible CNI versions/,
      { code: 1 },
    ],
    [
      'has no address left',
      { exitCode: 1, stdout: golden('errors/hl-add2full.out') },
      'ERR_ADDRESSES_EXHAUSTED',
      /no IP addresses available/,
      { code: 999 },
    ],
    [
      'was asked for an address that somebody has',
      { exitCode: 1, stdout: golden('errors/hl-req-dup.out') },
      'ERR_ADDRESS_TAKEN',
      /10\.78\.4\.2 is not available/,
      { code: 999 },
    ],
  ])('that %s', async (_title, answer, code, message, plugin) => {
    await expect(outcome(answer)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
      step: 'plugin:bridge ADD',
      plugin: { type: 'bridge', command: 'ADD', ...plugin },
    });
  });

  it.each<[string, Answer, object]>([
    [
      'fails',
      { exitCode: 1, stdout: '{"code":7,"msg":"m"}' },
      { code: 7, msg: 'm', exitCode: 1, stderr: '' },
    ],
    ['is killed', { exitCode: null, signal: 'SIGKILL' }, { exitCode: null, signal: 'SIGKILL', stderr: '' }],
  ])('that %s is told of without what it was given', async (_title, answer, failure) => {
    const secret = 'not for logs';
    const { signal } = new AbortController();
    const given = { ...call, env: [`PASSWORD=${secret}`], stdin: `"${secret}"`, lock: 5, signal };
    const error: unknown = await callPlugin(new FakeRunner(() => answer), given).catch((each) => each);
    expect((error as NetworkError).plugin).toEqual({ type: 'bridge', command: 'ADD', ...failure });
    expect(JSON.stringify(error)).not.toContain(secret);
  });

  it.each([
    'badcmd',
    'badid',
    'badjson',
    'badname',
    'bridge-samens',
    'hl-add1dup',
    'hl-check',
    'noargs',
    'tap-noprev',
    'unkargs',
  ])('keeps every word of the recorded error %s', async (name) => {
    const stdout = golden(`errors/${name}.out`);
    await expect(outcome({ exitCode: 1, stdout })).rejects.toMatchObject({
      code: 'ERR_PLUGIN_FAILED',
      plugin: JSON.parse(stdout),
    });
  });

  it('ends in a NetworkError or in output, whatever is printed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string(), fc.json()),
        fc.string(),
        fc.nat(2),
        async (stdout, stderr, exitCode) => {
          const result = await outcome({ stdout, stderr, exitCode }).catch((error: unknown) => error);
          if (typeof result !== 'string' && !isNetworkError(result)) throw result;
        },
      ),
    );
  });
});

describe('a plugin that cannot be started', () => {
  it.each(['EACCES', 'ENOEXEC', 'ENOENT', 'EPERM', 'ELIBBAD', 'ETXTBSY'])(
    '%s is its own fault',
    async (code) => {
      const runner = new FakeRunner(() => Promise.reject(systemError(code, { syscall: 'execve' })));
      await expect(callPlugin(runner, call)).rejects.toMatchObject({
        code: 'ERR_PLUGIN_NOT_EXECUTABLE',
        path: '/plugins/bridge',
        cause: { code },
      });
    },
  );

  it.each([
    ['ENOMEM', 'ERR_KERNEL'],
    ['EMFILE', 'ERR_DESCRIPTORS'],
    ['ENFILE', 'ERR_DESCRIPTORS'],
  ])('%s is the machine’s', async (errno, code) => {
    const runner = new FakeRunner(() => Promise.reject(systemError(errno, { syscall: 'clone3' })));
    await expect(callPlugin(runner, call)).rejects.toMatchObject({
      ...{ code, cause: { code: errno }, syscall: 'clone3' },
    });
  });
});

describe('cancelling', () => {
  it('passes the signal on by the task’s number, and lets go of it afterwards', async () => {
    const controller = new AbortController();
    const runner = new FakeRunner((seen) => {
      controller.abort('enough');
      expect(runner.cancelled).toEqual([seen.plan.taskId]);
      return { cancelled: true, exitCode: null, signal: 'SIGKILL' };
    });
    await expect(callPlugin(runner, { ...call, signal: controller.signal })).rejects.toMatchObject({
      name: 'AbortError',
      code: 'ABORT_ERR',
    });
  });

  it('does not start what is cancelled already', async () => {
    const runner = new FakeRunner(() => '{}');
    await expect(callPlugin(runner, { ...call, signal: AbortSignal.abort('enough') })).rejects.toMatchObject({
      name: 'AbortError',
      cause: 'enough',
    });
    expect(runner.seen).toEqual([]);
  });

  it('is an AbortError also where the task never started', async () => {
    const runner = new FakeRunner(() => Promise.reject(systemError('ECANCELED')));
    await expect(callPlugin(runner, call)).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('findPlugin', () => {
  const runner = new FakeRunner(() => '');
  const name = (type: string) => ({ type, command: 'ADD' }) as const;

  it('gives the path', async () => {
    expect(await findPlugin(runner, name('bridge'), ['', '/a', '/b'])).toMatchObject({ path: '/a/bridge' });
  });

  it.each(['', 'a/b', '/bin/sh', 'a\0'])('refuses the name %j', async (type) => {
    await expect(findPlugin(runner, name(type), ['/a'])).rejects.toMatchObject({
      code: 'ERR_PLUGIN_NAME_INVALID',
    });
  });

  it('names the directories where it looked', async () => {
    runner.missing.add('gone');
    await expect(findPlugin(runner, name('gone'), ['/a', '/b'])).rejects.toMatchObject({
      code: 'ERR_PLUGIN_NOT_FOUND',
      message: expect.stringContaining('/a, /b'),
    });
    await expect(findPlugin(runner, name('bridge'), [])).rejects.toMatchObject({
      code: 'ERR_PLUGIN_NOT_FOUND',
    });
  });
});

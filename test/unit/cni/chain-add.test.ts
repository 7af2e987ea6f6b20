import { describe, expect, it } from 'vitest';
import { Chain } from '../../../lib/cni/chain.ts';
import { resultObject } from '../../../lib/cni/result.ts';
import { type Answer, FakeRunner, golden, listOf, type Seen, systemError } from './fakes.ts';

const target = {
  containerId: 'vm-1',
  netns: '/run/netns/vm-1',
  ifName: 'eth0',
  args: [],
  capabilityArgs: {},
};
const types = ['first', 'second', 'third'] as const;

/** Each plugin adds an interface of its own name. */
function grow({ type, stdin }: Seen): string {
  const { cniVersion, prevResult = { interfaces: [] } } = JSON.parse(stdin);
  return JSON.stringify({ cniVersion, interfaces: [...prevResult.interfaces, { name: type }] });
}

function chainOf(answer: (seen: Seen) => Answer | Promise<Answer>, cniVersion = '1.0.0') {
  const runner = new FakeRunner((seen) => (seen.command === 'DEL' ? '' : answer(seen)));
  const options = { runner, pluginDirs: ['/plugins'], timeoutMs: 1000, environment: {} };
  return { runner, chain: new Chain(listOf(cniVersion, ...types), options) };
}

const namesOf = (stdin: string) =>
  (JSON.parse(stdin).prevResult?.interfaces ?? []).map(({ name }: { readonly name: string }) => name);

const failAt = (failing: string, answer: Answer) => (seen: Seen) =>
  seen.type === failing ? answer : grow(seen);
const failure: Answer = { exitCode: 1, stdout: '{"code":100,"msg":"broken"}' };

describe('set-up', () => {
  it('runs the plugins in order, each with the result of the one before', async () => {
    const { chain, runner } = chainOf(grow);
    const result = await chain.add(target, { lock: 9 });
    expect(runner.order).toEqual(['ADD first', 'ADD second', 'ADD third']);
    expect(runner.seen.map(({ stdin }) => namesOf(stdin))).toEqual([[], ['first'], ['first', 'second']]);
    expect(runner.seen.every(({ plan }) => plan.lock === 9)).toBe(true);
    expect(resultObject(result)).toMatchObject({ interfaces: types.map((name) => ({ name })) });
  });

  it('gives what the recorded chain gave', async () => {
    const recorded = golden('basic/add-result.json');
    const { chain } = chainOf(({ type }) => (type === 'third' ? recorded : '{}'));
    expect(JSON.stringify(resultObject(await chain.add(target)), null, 4)).toBe(recorded);
  });

  it('calls back between a plugin and the next, with the result so far in the newest version', async () => {
    const { chain, runner } = chainOf(grow, '0.3.1');
    const calls: unknown[] = [];
    await chain.add(target, {
      afterPlugin: (index, { cniVersion, interfaces }) => {
        calls.push([index, runner.seen.length, cniVersion, interfaces.length]);
      },
    });
    expect(calls).toEqual([
      [0, 1, '1.1.0', 1],
      [1, 2, '1.1.0', 2],
      [2, 3, '1.1.0', 3],
    ]);
  });

  it('takes a result in another version than the configuration’s', async () => {
    const { chain } = chainOf(() => '{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.0.0.2/24"}]}');
    expect((await chain.add(target)).cniVersion).toBe('0.4.0');
  });
});

describe('before any work', () => {
  it('refuses the host’s own namespace', async () => {
    const { chain, runner } = chainOf(grow);
    runner.hostNamespaces.add(target.netns);
    const refusal = { code: 'ERR_NETNS_HOST', path: target.netns };
    await expect(chain.add(target)).rejects.toMatchObject(refusal);
    await expect(chain.del(target, null)).rejects.toMatchObject(refusal);
    await expect(chain.delUnproven(target)).rejects.toMatchObject(refusal);
    await expect(chain.check(target, null)).rejects.toMatchObject(refusal);
    expect(runner.seen).toEqual([]);
  });

  it.each([
    ['containerId', { containerId: '-x' }, 'ERR_OPTION_INVALID'],
    ['containerId', { containerId: '' }, 'ERR_OPTION_INVALID'],
    ['ifName', { ifName: 'a/b' }, 'ERR_LINK_NAME_INVALID'],
    ['argument', { args: [['A', 'x;y']] as const }, 'ERR_OPTION_INVALID'],
  ])('refuses a bad %s', async (_title, change, code) => {
    const { chain, runner } = chainOf(grow);
    await expect(chain.add({ ...target, ...change })).rejects.toMatchObject({ code });
    expect(runner.seen).toEqual([]);
  });

  it('refuses a chain of which one plugin is missing', async () => {
    const { chain, runner } = chainOf(grow);
    runner.missing.add('third');
    await expect(chain.add(target)).rejects.toMatchObject({
      code: 'ERR_PLUGIN_NOT_FOUND',
      plugin: { type: 'third' },
    });
    expect(runner.seen).toEqual([]);
  });
});

describe('no leak after a failure at each plugin of the chain', () => {
  const endings: readonly [string, Answer, string][] = [
    ['reports an error', failure, 'ERR_PLUGIN_FAILED'],
    ['prints no result', '', 'ERR_PLUGIN_OUTPUT_INVALID'],
    ['prints garbage', 'tap0 is up', 'ERR_PLUGIN_OUTPUT_INVALID'],
    ['prints a result that is none', '{"ips":[{"address":"here"}]}', 'ERR_PLUGIN_OUTPUT_INVALID'],
    ['hangs', { timedOut: true, exitCode: null, signal: 'SIGKILL' }, 'ERR_PLUGIN_TIMEOUT'],
    ['is killed', { exitCode: null, signal: 'SIGKILL' }, 'ERR_PLUGIN_KILLED'],
  ];
  const cases = types.flatMap((type, index) =>
    endings.map(([title, answer, code]) => ({ type, index, title, answer, code })),
  );

  it.each(cases)('$type $title', async ({ type, index, answer, code }) => {
    const { chain, runner } = chainOf(failAt(type, answer));
    await expect(chain.add(target, { lock: 9 })).rejects.toMatchObject({
      ...{ code, rolledBack: true, errors: [] },
      ...{ step: `plugin:${type} ADD`, plugin: { type } },
    });
    const undo = runner.seen.slice(index + 1);
    expect(undo.map(({ command, type: undone }) => `${command} ${undone}`)).toEqual([
      'DEL third',
      'DEL second',
      'DEL first',
    ]);
    expect(undo.map(({ stdin }) => namesOf(stdin))).toEqual(types.map(() => types.slice(0, index)));
    expect(undo.every(({ plan }) => plan.lock === 9)).toBe(true);
  });

  it('counts the result of a plugin after which the caller gave up', async () => {
    const { chain, runner } = chainOf(grow);
    const added = chain.add(target, {
      afterPlugin: (index) => {
        if (index === 1) throw new Error('not this one');
      },
    });
    await expect(added).rejects.toThrowError('not this one');
    expect(runner.order.slice(2)).toEqual(['DEL third', 'DEL second', 'DEL first']);
    expect(namesOf(runner.seen.at(-1)?.stdin ?? '')).toEqual(['first', 'second']);
  });

  it('goes past plugins that fail to undo, and says which', async () => {
    const runner = new FakeRunner((seen) =>
      seen.command === 'DEL' || seen.type === 'third' ? failure : grow(seen),
    );
    const options = { runner, pluginDirs: ['/plugins'], timeoutMs: 1000, environment: {} };
    await expect(new Chain(listOf('1.0.0', ...types), options).add(target)).rejects.toMatchObject({
      code: 'ERR_PLUGIN_FAILED',
      plugin: { type: 'third', command: 'ADD' },
      rolledBack: false,
      errors: ['third', 'second', 'first'].map((type) => ({ plugin: { type, command: 'DEL' } })),
    });
  });

  it('does not hold it against the undo when a plugin that never ran fails', async () => {
    const answer = (seen: Seen): Answer => {
      if (seen.type === 'second') throw systemError('EACCES', { syscall: 'execve' });
      if (seen.type === 'third') return failure;
      return seen.command === 'DEL' ? '' : grow(seen);
    };
    const runner = new FakeRunner(answer);
    const options = { runner, pluginDirs: ['/plugins'], timeoutMs: 1000, environment: {} };
    await expect(new Chain(listOf('1.0.0', ...types), options).add(target)).rejects.toMatchObject({
      code: 'ERR_PLUGIN_NOT_EXECUTABLE',
      rolledBack: true,
      errors: [],
    });
    expect(runner.order).toEqual(['ADD first', 'ADD second', 'DEL third', 'DEL second', 'DEL first']);
  });

  const refusal: Answer = { exitCode: 1, stdout: '{"code":1,"msg":"incompatible CNI versions"}' };

  /** Each DEL of the plugin ends so, and each of the others well. */
  const undoing = (failing: string, added: Answer, deleted: Answer) => {
    const runner = new FakeRunner((seen) => {
      if (seen.command === 'DEL') return seen.type === failing ? deleted : '';
      return seen.type === failing ? added : grow(seen);
    });
    const options = { runner, pluginDirs: ['/plugins'], timeoutMs: 1000, environment: {} };
    return { runner, chain: new Chain(listOf('1.1.0', ...types), options) };
  };

  it.each(types)('takes a version that %s refuses at ADD, and at DEL, for nothing to undo', async (type) => {
    const { chain, runner } = undoing(type, refusal, refusal);
    await expect(chain.add(target)).rejects.toMatchObject({
      ...{ code: 'ERR_VERSION_UNSUPPORTED', plugin: { type, command: 'ADD' } },
      ...{ rolledBack: true, errors: [] },
    });
    expect(runner.order.slice(-3)).toEqual(['DEL third', 'DEL second', 'DEL first']);
  });

  it.each([
    ['a DEL that fails otherwise after it', refusal, failure, 'ERR_PLUGIN_FAILED'],
    ['one that is refused at DEL alone', failure, refusal, 'ERR_VERSION_UNSUPPORTED'],
  ])('holds against the undo %s', async (_title, added, deleted, code) => {
    const { chain } = undoing('second', added, deleted);
    await expect(chain.add(target)).rejects.toMatchObject({
      rolledBack: false,
      errors: [{ code, plugin: { type: 'second', command: 'DEL' } }],
    });
  });

  it('holds it against the undo when a plugin that gave its result refuses the version at DEL', async () => {
    const runner = new FakeRunner((seen) =>
      seen.command === 'DEL' || seen.type === 'third' ? refusal : grow(seen),
    );
    const options = { runner, pluginDirs: ['/plugins'], timeoutMs: 1000, environment: {} };
    await expect(new Chain(listOf('1.1.0', ...types), options).add(target)).rejects.toMatchObject({
      rolledBack: false,
      errors: ['second', 'first'].map((type) => ({ plugin: { type, command: 'DEL', code: 1 } })),
    });
  });

  it('has nothing to undo where the first plugin cannot be executed', async () => {
    const { chain, runner } = chainOf(() => Promise.reject(systemError('ENOEXEC')));
    await expect(chain.add(target)).rejects.toMatchObject({
      code: 'ERR_PLUGIN_NOT_EXECUTABLE',
      rolledBack: true,
    });
    expect(runner.order).toEqual(['ADD first']);
  });

  it('undoes without a prevResult below 0.4.0, as the specification has it', async () => {
    const { chain, runner } = chainOf(failAt('third', failure), '0.3.1');
    await expect(chain.add(target)).rejects.toMatchObject({ rolledBack: true });
    expect(JSON.parse(runner.seen.at(-1)?.stdin ?? '')).not.toHaveProperty('prevResult');
  });
});

describe('an abort', () => {
  it('undoes what was begun, heeding the signal no more, and then rejects with AbortError', async () => {
    const controller = new AbortController();
    const { chain, runner } = chainOf((seen) => {
      if (seen.type !== 'second') return grow(seen);
      controller.abort('shutting down');
      return { cancelled: true, exitCode: null, signal: 'SIGKILL' };
    });
    await expect(chain.add(target, { signal: controller.signal })).rejects.toMatchObject({
      name: 'AbortError',
      rolledBack: true,
    });
    expect(runner.order).toEqual(['ADD first', 'ADD second', 'DEL third', 'DEL second', 'DEL first']);
  });

  it('between two plugins starts no other', async () => {
    const controller = new AbortController();
    const { chain, runner } = chainOf(grow);
    const added = chain.add(target, { signal: controller.signal, afterPlugin: () => controller.abort() });
    await expect(added).rejects.toMatchObject({ name: 'AbortError', rolledBack: true });
    expect(runner.order).toEqual(['ADD first', 'DEL third', 'DEL second', 'DEL first']);
  });

  it('while a plugin is looked for begins nothing', async () => {
    const { chain, runner } = chainOf(grow);
    runner.fileFind = () => Promise.reject(systemError('ECANCELED'));
    await expect(chain.add(target)).rejects.toMatchObject({ name: 'AbortError', rolledBack: true });
    expect(runner.order).toEqual([]);
  });
});

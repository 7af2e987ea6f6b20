import { describe, expect, it } from 'vitest';
import { probePlugin } from '../../../lib/cni/probe.ts';
import { type Answer, FakeRunner, golden } from './fakes.ts';

function optionsFor(answer: (type: string) => Answer) {
  const runner = new FakeRunner(({ type }) => answer(type));
  return { runner, pluginDirs: ['/plugins'], timeoutMs: 1000, environment: {} };
}

describe('probePlugin', () => {
  it('asks with VERSION and reads the recorded answer', async () => {
    const options = optionsFor(() => golden('errors/version.out'));
    expect(await probePlugin(options, 'bridge')).toEqual({
      type: 'bridge',
      path: '/plugins/bridge',
      executable: true,
      versions: ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'],
    });
    expect(options.runner.seen).toMatchObject([{ command: 'VERSION', stdin: '{"cniVersion":"1.1.0"}' }]);
  });

  it.each<[string, Answer, readonly string[]]>([
    [
      'from before there was VERSION',
      { exitCode: 1, stdout: '{"code":4,"msg":"unknown CNI_COMMAND: VERSION"}' },
      ['0.1.0'],
    ],
    ['of 0.2.0, which lists nothing', '{"cniVersion":"0.2.0"}', ['0.1.0', '0.2.0']],
  ])('knows plugins %s', async (_title, answer, versions) => {
    expect(
      (
        await probePlugin(
          optionsFor(() => answer),
          'old',
        )
      ).versions,
    ).toEqual(versions);
  });

  it.each<[string, Answer, string]>([
    ['lists nothing', '{"cniVersion":"1.0.0"}', 'ERR_PLUGIN_OUTPUT_INVALID'],
    ['names no version of its own', '{"supportedVersions":["1.0.0"]}', 'ERR_PLUGIN_OUTPUT_INVALID'],
    ['prints garbage', 'v1', 'ERR_PLUGIN_OUTPUT_INVALID'],
    [
      'lists what are no texts',
      '{"cniVersion":"1.0.0","supportedVersions":[1]}',
      'ERR_PLUGIN_OUTPUT_INVALID',
    ],
    ['fails otherwise', { exitCode: 1, stdout: '{"code":999,"msg":"no"}' }, 'ERR_PLUGIN_FAILED'],
  ])('refuses one that %s', async (_title, answer, code) => {
    await expect(
      probePlugin(
        optionsFor(() => answer),
        'odd',
      ),
    ).rejects.toMatchObject({ code });
  });
});

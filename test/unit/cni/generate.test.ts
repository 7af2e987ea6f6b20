import { beforeEach, describe, expect, it } from 'vitest';
import { parseConfList } from '../../../lib/cni/conflist.ts';
import {
  type GeneratedNetwork,
  generateConfList,
  isGenerated,
  writeConfList,
} from '../../../lib/cni/generate.ts';
import { FakeFiles, systemError } from './fakes.ts';

const network: GeneratedNetwork = {
  name: 'fcnet',
  cniVersion: '1.0.0',
  bridge: 'fcbr0',
  mtu: 0,
  subnets: [{ subnet: '10.168.0.0/24', gateway: '10.168.0.1' }],
  dataDir: '/run/cni/networks',
};
const path = '/conf/fcnet.conflist';

let files: FakeFiles;

beforeEach(() => {
  files = new FakeFiles();
});

describe('the generated conflist', () => {
  it('has the structure of the seed: bridge with host-local, then tc-redirect-tap', () => {
    const { generated, ...content } = JSON.parse(generateConfList(network));
    expect(content).toEqual({
      cniVersion: '1.0.0',
      name: 'fcnet',
      plugins: [
        {
          type: 'bridge',
          bridge: 'fcbr0',
          isGateway: true,
          capabilities: { mac: true, ips: true },
          ipam: {
            type: 'host-local',
            ranges: [[{ subnet: '10.168.0.0/24', gateway: '10.168.0.1' }]],
            routes: [{ dst: '0.0.0.0/0' }],
            dataDir: '/run/cni/networks',
          },
        },
        { type: 'tc-redirect-tap' },
      ],
    });
    expect(generated).toEqual({ by: 'vulcan-net', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  it('is a conflist that this runtime reads', () => {
    const list = parseConfList(generateConfList({ ...network, mtu: 1400 }), 'generated');
    expect(list).toMatchObject({
      name: 'fcnet',
      plugins: [{ raw: { mtu: 1400 } }, { type: 'tc-redirect-tap' }],
    });
  });

  it('has one range for each subnet, and one default route for each family', () => {
    const subnets = [
      { subnet: '10.168.0.0/24', gateway: '10.168.0.1' },
      { subnet: '10.169.0.0/24', gateway: '10.169.0.1' },
      { subnet: 'fd00::/64', gateway: 'fd00::1' },
    ];
    const { ipam } = JSON.parse(generateConfList({ ...network, subnets })).plugins[0];
    expect(ipam.ranges).toEqual(subnets.map((subnet) => [subnet]));
    expect(ipam.routes).toEqual([{ dst: '0.0.0.0/0' }, { dst: '::/0' }]);
  });
});

describe('isGenerated', () => {
  const text = generateConfList(network);

  it('knows its own, whatever the layout', () => {
    expect(isGenerated(text)).toBe(true);
    expect(isGenerated(JSON.stringify(JSON.parse(text)))).toBe(true);
  });

  it.each([
    ['one that was edited', text.replace('fcbr0', 'fcbr1')],
    ['one whose mark is gone', JSON.stringify({ ...JSON.parse(text), generated: undefined })],
    ['another’s', '{"name":"fcnet","cniVersion":"1.0.0","plugins":[{"type":"bridge"}]}'],
    ['another generator’s', text.replace('vulcan-net', 'other')],
    ['what is not JSON', 'fcnet'],
    ['what is no object', '[]'],
  ])('does not take for its own %s', (_title, other) => {
    expect(isGenerated(other)).toBe(false);
  });
});

describe('writeConfList', () => {
  it('writes once, and again only when something differs', async () => {
    expect(await writeConfList(files, '/conf', network)).toBe(true);
    expect(files.files.get(path)).toBe(generateConfList(network));
    files.fail = (operation) => (operation === 'write' ? new Error('written again') : null);
    expect(await writeConfList(files, '/conf', network)).toBe(false);
    files.fail = null;
    expect(await writeConfList(files, '/conf', { ...network, mtu: 1400 })).toBe(true);
    expect(files.files.get(path)).toContain('1400');
  });

  it.each([
    ['someone else wrote', '{"name":"fcnet"}'],
    ['someone edited', generateConfList(network).replace('fcbr0', 'br-mine')],
    ['is empty', ''],
  ])('never writes over a file that %s', async (_title, foreign) => {
    files.files.set(path, foreign);
    const error = { code: 'ERR_CONFLIST_FOREIGN', path };
    await expect(writeConfList(files, '/conf', network)).rejects.toMatchObject(error);
    expect(files.files.get(path)).toBe(foreign);
  });

  it.each(['ELOOP', 'EISDIR', 'EFBIG'])('leaves alone what cannot be its file: %s', async (code) => {
    files.fail = (operation) => (operation === 'read' ? systemError(code) : null);
    const error = { code: 'ERR_CONFLIST_FOREIGN', path, cause: { code } };
    await expect(writeConfList(files, '/conf', network)).rejects.toMatchObject(error);
  });

  it.each(['EACCES', 'ENOSPC', 'EROFS'])('says so when it cannot write: %s', async (code) => {
    files.fail = (operation) => (operation === 'write' ? systemError(code) : null);
    const error = { code: 'ERR_CONFLIST_WRITE', path, cause: { code } };
    await expect(writeConfList(files, '/conf', network)).rejects.toMatchObject(error);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { addNamespace, resetLab } from '../support/lab.ts';
import { native } from '../support/native.ts';
import { ip, runIn } from '../support/run.ts';

async function link(name: string, netns?: string) {
  const { links } = await native.dump({ kinds: ['links'], ...(netns === undefined ? {} : { netns }) });
  return links.find((candidate) => candidate.name === name);
}

describe('linkSet', () => {
  beforeEach(async () => {
    await resetLab();
    await ip('link', 'add', 'br0', 'type', 'bridge');
    await ip('link', 'set', 'br0', 'up');
    await ip('link', 'add', 'port0', 'type', 'veth', 'peer', 'name', 'peer0');
  });

  it('changes what it is told to, and nothing else', async () => {
    expect(await native.linkSet({ name: 'port0', up: true, mtu: 1400 })).toBe(true);
    expect(await link('port0')).toMatchObject({ up: true, mtu: 1400, alias: '' });
    expect(await native.linkSet({ name: 'port0', alias: 'vulcan-net a b c' })).toBe(true);
    expect(await link('port0')).toMatchObject({ up: true, mtu: 1400, alias: 'vulcan-net a b c' });
    expect(await native.linkSet({ name: 'port0', up: false, alias: '' })).toBe(true);
    expect(await link('port0')).toMatchObject({ up: false, mtu: 1400, alias: '' });
    expect(await native.linkSet({ name: 'port0', group: 1_979_711_489 })).toBe(true);
    expect(await link('port0')).toMatchObject({ group: 1_979_711_489, mtu: 1400 });
    expect(await native.linkSet({ name: 'port0' })).toBe(true);
  });

  it('cuts a bridge port off and lets it in again', async () => {
    for (const name of ['port0', 'peer0']) await ip('link', 'set', name, 'up');
    await ip('link', 'set', 'port0', 'master', 'br0');
    await native.linkSet({ name: 'port0', portState: 0 });
    expect(await link('port0')).toMatchObject({ portState: 0, up: true });
    await native.linkSet({ name: 'port0', portState: 3 });
    expect(await link('port0')).toMatchObject({ portState: 3 });
  });

  it('takes a port that is down for cut off', async () => {
    await ip('link', 'set', 'port0', 'master', 'br0');
    expect(await native.linkSet({ name: 'port0', portState: 0 })).toBe(true);
    await expect(native.linkSet({ name: 'port0', portState: 3 })).rejects.toMatchObject({
      code: 'ENETDOWN',
      syscall: 'RTM_SETLINK',
      path: 'port0',
    });
  });

  it('works in another namespace', async () => {
    const netns = await addNamespace('vm');
    await ip('link', 'set', 'peer0', 'netns', 'vm');
    expect(await native.linkSet({ netns, name: 'peer0', mtu: 1300 })).toBe(true);
    expect(await link('peer0', netns)).toMatchObject({ mtu: 1300 });
    expect(await native.linkSet({ netns, name: 'port0', mtu: 1300 })).toBe(false);
  });

  it('says that there is no such link', async () => {
    expect(await native.linkSet({ name: 'nosuch', up: true })).toBe(false);
  });

  it('says what the kernel says', async () => {
    await expect(native.linkSet({ name: 'port0', mtu: 70_000 })).rejects.toMatchObject({
      code: 'EINVAL',
      errno: -22,
      syscall: 'RTM_SETLINK',
      path: 'port0',
      kernelMessage: expect.stringContaining('mtu greater than device maximum'),
    });
  });

  it('gives up on a kernel that stays busy, and says so', async () => {
    // Under the spanning tree protocol, the state of a port is the protocol's.
    await ip('link', 'set', 'br0', 'type', 'bridge', 'stp_state', '1');
    for (const name of ['port0', 'peer0']) await ip('link', 'set', name, 'up');
    await ip('link', 'set', 'port0', 'master', 'br0');
    await expect(native.linkSet({ name: 'port0', portState: 0 })).rejects.toMatchObject({
      code: 'EBUSY',
      reason: 'retries-exhausted',
    });
  });
});

describe('linkDelete', () => {
  beforeEach(resetLab);

  it('deletes a link, here and elsewhere, once', async () => {
    const netns = await addNamespace('vm');
    await ip('link', 'add', 'a0', 'type', 'veth', 'peer', 'name', 'a1');
    await runIn(netns, 'ip', 'link', 'add', 'b0', 'type', 'veth', 'peer', 'name', 'b1');
    expect(await native.linkDelete({ name: 'a0' })).toBe(true);
    expect(await native.linkDelete({ name: 'a0' })).toBe(false);
    expect(await link('a1')).toBeUndefined();
    expect(await native.linkDelete({ name: 'b0' })).toBe(false);
    expect(await native.linkDelete({ netns, name: 'b0' })).toBe(true);
    expect(await link('b1', netns)).toBeUndefined();
  });

  it('leaves a link of another alias alone', async () => {
    await ip('link', 'add', 'a0', 'type', 'veth', 'peer', 'name', 'a1');
    for (const alias of ['', 'mine']) {
      await ip('link', 'set', 'a0', 'alias', alias);
      expect(await native.linkDelete({ name: 'a0', alias: 'ours' })).toBe(false);
    }
    expect(await native.linkDelete({ name: 'a0', alias: 'mine' })).toBe(true);
  });

  it('says what the kernel says', async () => {
    await expect(native.linkDelete({ name: 'lo' })).rejects.toMatchObject({
      code: 'EOPNOTSUPP',
      syscall: 'RTM_DELLINK',
      path: 'lo',
    });
  });
});

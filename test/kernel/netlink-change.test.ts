import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { addNamespace, resetLab, until } from '../support/lab.ts';
import { native } from '../support/native.ts';
import { ip, outcomeOf, run, runIn } from '../support/run.ts';

async function link(name: string, netns?: string) {
  const { links } = await native.dump({ kinds: ['links'], ...(netns === undefined ? {} : { netns }) });
  return links.find((candidate) => candidate.name === name);
}

const untilForwarding = () => until('the port', async () => (await link('port0'))?.portState === 3);

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

  describe('of a port', () => {
    beforeEach(async () => {
      for (const name of ['port0', 'peer0']) await ip('link', 'set', name, 'up');
      await ip('link', 'set', 'port0', 'master', 'br0');
      await untilForwarding();
    });

    it('cuts it off and lets it in again', async () => {
      await native.linkSet({ name: 'port0', cut: true });
      expect(await link('port0')).toMatchObject({ portState: 0, dormant: true, up: true });
      await native.linkSet({ name: 'port0', cut: false });
      expect(await link('port0')).toMatchObject({ portState: 3, dormant: false, up: true });
    });

    it('lets it in again that somebody has disabled', async () => {
      await run('bridge', ['link', 'set', 'dev', 'port0', 'state', '0']);
      await native.linkSet({ name: 'port0', cut: false });
      expect(await link('port0')).toMatchObject({ portState: 3 });
    });

    it('cuts it off for good, whatever becomes of its carrier, its alias and its bridge', async () => {
      await native.linkSet({ name: 'port0', cut: true });
      const flips = 'link set peer0 down\nlink set peer0 up\n'.repeat(200);
      await outcomeOf('ip', ['-batch', '-'], { input: flips });
      await ip('link', 'set', 'port0', 'alias', 'another');
      for (const name of ['br0', 'port0']) for (const to of ['down', 'up']) await ip('link', 'set', name, to);
      await until('the carrier', async () => (await link('port0'))?.lowerUp === true);
      // Longer than the kernel may take to look at a carrier (a second, linkwatch_nextevent).
      await setTimeout(1_200);
      expect(await link('port0')).toMatchObject({ portState: 0, up: true });
    });

    it.each([
      ['it', 'port0'],
      ['its other end', 'peer0'],
      ['its bridge', 'br0'],
    ])('cuts it off where %s is down, and it stays it', async (_what, name) => {
      await ip('link', 'set', name, 'down');
      expect(await native.linkSet({ name: 'port0', cut: true })).toBe(true);
      await ip('link', 'set', name, 'up');
      await until('the carrier', async () => (await link('port0'))?.lowerUp === true);
      await setTimeout(1_200);
      expect(await link('port0')).toMatchObject({ portState: 0, up: true });
      await native.linkSet({ name: 'port0', cut: false });
      await untilForwarding();
    });

    it('cuts it off a bridge that runs the spanning tree protocol', async () => {
      // Under which nobody else may set the state of a port.
      await ip('link', 'set', 'br0', 'type', 'bridge', 'stp_state', '1');
      await native.linkSet({ name: 'port0', cut: true });
      for (const to of ['down', 'up']) await ip('link', 'set', 'peer0', to);
      await until('the carrier', async () => (await link('port0'))?.lowerUp === true);
      expect(await link('port0')).toMatchObject({ portState: 0 });
      await ip('link', 'set', 'br0', 'type', 'bridge', 'stp_state', '0');
      expect(await link('port0')).toMatchObject({ portState: 0 });
    });

    it('refuses to cut off what is no port', async () => {
      for (const cut of [true, false]) {
        await expect(native.linkSet({ name: 'peer0', cut })).rejects.toMatchObject({
          ...{ code: 'EOPNOTSUPP', syscall: 'RTM_NEWLINK', path: 'peer0' },
        });
      }
      expect(await link('peer0')).toMatchObject({ dormant: false, lowerUp: true });
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
    // A link has one receiver of its frames, which is that of macvlan here (netdev_rx_handler_register).
    await ip('link', 'add', 'link', 'port0', 'type', 'macvlan');
    await expect(native.linkSet({ name: 'port0', master: 'br0' })).rejects.toMatchObject({
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

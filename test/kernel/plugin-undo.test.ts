import { beforeEach, expect, it } from 'vitest';
import { resetLab } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';
import { ip, outcomeOf, runIn } from '../support/run.ts';
import {
  addSandbox,
  config,
  environmentOf,
  goldenNetns,
  type Invocation,
  invoke,
  leftovers,
  nothingLeft,
  ours,
} from './plugin-lab.ts';
import { inject, trace } from './plugin-trace.ts';

const add: Invocation = { command: 'ADD' };

async function sandbox(): Promise<void> {
  await resetLab();
  await addSandbox();
}

describeWith(['strace', 'tun'], 'a failed ADD of tc-redirect-tap', () => {
  beforeEach(sandbox);

  it.each([
    ['sendto', 'nlmsg_type'],
    ['ioctl', 'TUNSET'],
  ])('undoes itself at each %s', async (syscall, kind) => {
    const points = (await trace(add, [syscall])).filter(({ what }) => what.includes(kind));
    expect(points.length).toBeGreaterThanOrEqual(4);
    for (const point of points) {
      await sandbox();
      const { exitCode, stdout } = await inject(point, 'error=ENOMEM', add);
      const { code, msg, details } = JSON.parse(stdout);
      expect({ point, exitCode, code, details, left: await leftovers() }).toEqual({
        point,
        exitCode: 1,
        code: 999,
        details: undefined,
        left: nothingLeft,
      });
      expect(msg).toMatch(/ENOMEM/);
      expect((await invoke(ours, add)).exitCode).toBe(0);
    }
  });

  it('says what it could not undo', async () => {
    const last = (await trace(add, ['sendto'])).length;
    // The filter on eth0 fails, and so does the removal of eth0's qdisc that follows.
    await sandbox();
    const { stdout } = await inject({ syscall: 'sendto', nth: last, what: '' }, 'error=ENOMEM', add, '+1');
    expect(JSON.parse(stdout)).toEqual({
      code: 999,
      msg: `failed to redirect "eth0" to a TAP: ENOMEM: Cannot allocate memory, RTM_NEWTFILTER 'eth0'`,
      details: "not undone: ENOMEM: Cannot allocate memory, RTM_DELQDISC 'eth0'",
    });
    expect(await leftovers()).toEqual({ ...nothingLeft, ingress: 1 });
    await invoke(ours, { command: 'DEL', stdin: config({}) });
    expect(await leftovers()).toEqual(nothingLeft);
  });

  it('undoes itself when its result cannot be written', async () => {
    const script = `exec 3>&1; { echo '${config()}' | ${ours.file}; echo $? >&3; } >/dev/full`;
    const { stdout } = await outcomeOf('sh', ['-c', script], { env: environmentOf(add) });
    expect(stdout.trim()).not.toBe('0');
    expect(await leftovers()).toEqual(nothingLeft);
  });

  it('leaves a second one on the same link alone', async () => {
    await invoke(ours, add);
    const before = await leftovers();
    const { stdout } = await invoke(ours, add);
    expect(JSON.parse(stdout)).toEqual({
      code: 999,
      msg: `failed to redirect "eth0" to a TAP: EEXIST: File exists, RTM_NEWQDISC 'eth0' (Exclusivity flag on, cannot modify)`,
    });
    expect(await leftovers()).toEqual(before);
  });

  it('never takes a TAP that exists', async () => {
    await runIn(goldenNetns, 'ip', 'tuntap', 'add', 'mode', 'tap', 'name', 'vm0');
    const { exitCode } = await invoke(ours, { ...add, env: { CNI_ARGS: 'TC_REDIRECT_TAP_NAME=vm0' } });
    expect(exitCode).toBe(1);
    expect((await leftovers()).links).toContain('vm0');
  });
});

describeWith(['tun'], 'DEL of tc-redirect-tap', () => {
  beforeEach(sandbox);
  const del: Invocation = { command: 'DEL', stdin: config({}) };

  it("leaves other links' TAPs alone", async () => {
    await runIn(goldenNetns, 'ip', 'link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'peer1');
    await invoke(ours, add);
    await invoke(ours, { ...add, env: { CNI_IFNAME: 'eth1' } });
    await invoke(ours, del);
    expect(await leftovers()).toEqual({
      links: ['eth0', 'eth1', 'lo', 'peer0', 'peer1', 'tap1'],
      ingress: 2,
    });
  });

  it('finds its TAP when the link is gone', async () => {
    await invoke(ours, add);
    await runIn(goldenNetns, 'ip', 'link', 'delete', 'eth0');
    expect((await leftovers()).links).toContain('tap0');
    await invoke(ours, del);
    expect((await leftovers()).links).toEqual(['lo']);
  });

  it('works with a prevResult that it cannot read', async () => {
    await invoke(ours, add);
    expect(await invoke(ours, { ...del, stdin: config({ prevResult: 7 }) })).toMatchObject({ exitCode: 0 });
    expect(await leftovers()).toEqual(nothingLeft);
  });

  it('never deletes what is no TAP, whatever prevResult says', async () => {
    const interfaces = [{ name: 'peer0', sandbox: 'cnitool-0a30e4aadb6e5e167d22' }];
    const stdin = config({ prevResult: { cniVersion: '1.0.0', interfaces } });
    expect(await invoke(ours, { ...del, stdin })).toMatchObject({ exitCode: 0 });
    expect(await leftovers()).toEqual(nothingLeft);
  });

  it('spares a clsact qdisc', async () => {
    await runIn(goldenNetns, 'tc', 'qdisc', 'add', 'dev', 'eth0', 'clsact');
    expect(await invoke(ours, del)).toMatchObject({ exitCode: 0 });
    expect(await runIn(goldenNetns, 'tc', 'qdisc', 'show', 'dev', 'eth0')).toContain('clsact');
  });

  it('is fine without the namespace, with or without its name', async () => {
    await ip('netns', 'delete', 'cnrns1');
    expect(await invoke(ours, del)).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await invoke(ours, { ...del, env: { CNI_NETNS: '' } })).toMatchObject({ exitCode: 0, stdout: '' });
  });
});

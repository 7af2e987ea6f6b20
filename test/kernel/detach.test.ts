import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { beforeEach, expect, it } from 'vitest';
import type { ReservedAddress } from '../../lib/native/attachment.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { replaceNamespace, until } from '../support/lab.ts';
import { native } from '../support/native.ts';
import { describeWith } from '../support/require.ts';
import { ip, outcomeOf } from '../support/run.ts';
import {
  anchorOf,
  attach,
  attachPlan,
  bridge,
  detach,
  detachPlan,
  forwarding,
  gateway,
  hostLinkOf,
  inside,
  recordOf,
  recordsDir,
  storeDir,
  untilForwarding,
  usedLab,
} from './attach-lab.ts';

const vm = 'a1';

/** A process in the VM's namespace, which thereby lives on. */
async function hold(): Promise<ChildProcess> {
  const child = spawn('nsenter', [`--net=${anchorOf(vm)}`, 'sh', '-c', 'echo in; exec sleep 600'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child;
}

/** From the namespace that a process is in; its filters, which would take the answers, are gone. */
async function pings(holder: ChildProcess, patienceS = '3'): Promise<boolean> {
  const target = [`--net=/proc/${holder.pid}/ns/net`, '--'];
  await outcomeOf('nsenter', [...target, 'tc', 'qdisc', 'delete', 'dev', 'eth0', 'ingress']);
  const { exitCode } = await outcomeOf('nsenter', [...target, 'ping', '-c', '1', '-w', patienceS, gateway]);
  return exitCode === 0;
}

describeWith(['tun'], 'detach', () => {
  let before: string;
  let addresses: readonly ReservedAddress[];

  beforeEach(async () => {
    await usedLab();
    before = await canonicalDump();
    addresses = await attach(vm);
  });

  it('takes all of it away', async () => {
    const { netns } = await native.detach(detachPlan(vm, addresses));
    expect(netns).not.toBeNull();
    await expectUnchanged(before);
  });

  it('has namespaces that are to go together wait for each other, cut off and without a name', async () => {
    const others = await attach('a2');
    const plans = [detachPlan(vm, addresses), detachPlan('a2', others)];
    for (const plan of plans) await native.detach({ ...plan, together: true });
    const names = [hostLinkOf(vm), hostLinkOf('a2')];
    const left = async () => {
      const { links } = await native.dump({ kinds: ['links'] });
      return links.filter(({ name }) => names.includes(name)).map(({ portState }) => portState);
    };
    expect(await left()).toEqual([0, 0]);
    expect((await readdir('/run/netns')).filter((name) => /a[12]$/.test(name))).toEqual([]);
    await native.namespacesPart({});
    await until('both to go', async () => (await left()).length === 0);
    await expectUnchanged(before);
  });

  it('is fine with what is not there', async () => {
    await detach(vm, addresses);
    expect(await native.detach(detachPlan(vm, addresses))).toEqual({
      stale: false,
      cut: true,
      netns: null,
      errors: [],
      steps: expect.objectContaining({ lock: expect.any(Number), cut: expect.any(Number) }),
    });
    await expectUnchanged(before);
  });

  it('does nothing once another file has the name of the record', async () => {
    const made = await native.attach(attachPlan('a2'));
    const [{ addresses: own, record: version }] = made.interfaces;
    const plan = detachPlan('a2', own);
    const [interface_] = plan.interfaces;
    const record = { directory: recordsDir, name: recordOf('a2'), version };
    const versioned = { ...plan, interfaces: [{ ...interface_, record }] as const };
    const path = `${recordsDir}/${recordOf('a2')}`;
    const text = await readFile(path);
    await writeFile(`${path}.other`, text);
    await rename(`${path}.other`, path);
    const whole = await canonicalDump();
    expect(await native.detach(versioned)).toMatchObject({ stale: true, cut: false, errors: [] });
    await expectUnchanged(whole);
    await rm(path);
    expect(await native.detach(versioned)).toMatchObject({ stale: true });
    await detach('a2', own);
    await detach(vm, addresses);
    await expectUnchanged(before);
  });

  it('takes away what is left of one that lost its namespace', async () => {
    await ip('netns', 'delete', `vulcan-${vm}`);
    await detach(vm, addresses);
    await expectUnchanged(before);
  });

  it('finds the addresses of an owner by itself', async () => {
    await native.detach(detachPlan(vm, null));
    expect((await readdir(storeDir)).filter((name) => /^\d/.test(name))).toEqual([]);
  });

  it('cuts a VM off whose namespace somebody holds', async () => {
    const holder = await hold();
    expect(await pings(holder, '30')).toBe(true);
    await detach(vm, addresses);
    expect(await pings(holder)).toBe(false);
    const { links } = await native.dump({ kinds: ['links'] });
    expect(links.find(({ name }) => name === hostLinkOf(vm))?.portState).toBe(0);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await expectUnchanged(before);
  });

  it('cuts off a link that somebody took off the bridge', async () => {
    const holder = await hold();
    await ip('link', 'set', hostLinkOf(vm), 'nomaster');
    await detach(vm, addresses);
    const { links } = await native.dump({ kinds: ['links'] });
    expect(links.find(({ name }) => name === hostLinkOf(vm))).toMatchObject({ up: false });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await expectUnchanged(before);
  });

  it('cuts a VM off a bridge that runs the spanning tree protocol', async () => {
    // Under which nobody else may set the state of a port.
    const setBridge = (option: string, value: string) =>
      ip('link', 'set', bridge, 'type', 'bridge', option, value);
    await setBridge('stp_state', '1');
    const holder = await hold();
    await until('the port', () => pings(holder));
    await detach(vm, addresses);
    expect(await pings(holder)).toBe(false);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await setBridge('stp_state', '0');
    // Which the protocol has set.
    await setBridge('forward_delay', '0');
    await expectUnchanged(before);
  });

  it('leaves a link alone that is somebody else’s', async () => {
    const alias = 'somebody else’s';
    await ip('link', 'set', hostLinkOf(vm), 'alias', alias);
    const holder = await hold();
    await untilForwarding(vm);
    await detach(vm, addresses);
    const { links } = await native.dump({ kinds: ['links'] });
    expect(links.find(({ name }) => name === hostLinkOf(vm))).toMatchObject({
      alias,
      up: true,
      portState: forwarding,
    });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
  });

  it('leaves an address alone that is somebody else’s', async () => {
    const file = `${storeDir}/${addresses[0]?.ip}`;
    await writeFile(file, 'other\r\neth0');
    await detach(vm, addresses);
    expect(await readFile(file, 'utf8')).toBe('other\r\neth0');
  });

  it('keeps the record when something fails, and goes on with the rest', async () => {
    const ip0 = `${storeDir}/${addresses[0]?.ip}`;
    await rm(ip0);
    await mkdir(ip0);
    const { cut, errors } = await native.detach(detachPlan(vm, addresses));
    expect({ cut, steps: errors.map(({ step, code }) => [step, code]) }).toEqual({
      cut: true,
      steps: [['address', 'EINVAL']],
    });
    expect(await native.anchorList({ directory: '/var/run/netns', prefix: 'vulcan-' })).toEqual([]);
    expect(await native.guardList({})).toEqual([]);
    expect(await readFile(`${recordsDir}/${recordOf(vm)}`, 'utf8')).toContain('10.168.0.');
    await rm(ip0, { recursive: true });
    await detach(vm, addresses);
    await expectUnchanged(before);
  });

  it('un-names no namespace that was not made under its lock', async () => {
    await replaceNamespace(`vulcan-${vm}`);
    const { errors } = await native.detach(detachPlan(vm, addresses));
    expect(errors).toMatchObject([{ step: 'anchor', code: 'EEXIST', reason: 'foreign' }]);
    expect(await inside(vm, 'ip', '-j', 'link')).toContain('lo');
  });

  it('makes way for the same VM at once', async () => {
    await detach(vm, addresses);
    const again = attachPlan(vm, { interface: { hostLink: 'vnnext' } });
    expect((await native.attach(again)).interfaces[0]?.addresses[0]?.ip).not.toBe(addresses[0]?.ip);
  });
});

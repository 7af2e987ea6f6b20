/**
 * What a failed setup's undo takes, beside a teardown. Natively, a file that has the record's name by the time that the
 * record is to get it makes the very last step fail: what the failed setup takes longer than one that goes through is its
 * undo. Of the chain, the last plugin fails.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { existsSync, watch, writeFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { settle } from './settle.mjs';

/** The kernel frees what went, so that it does not stand in the way of what is measured next. */
const PAUSE_MS = 40;
/** The watcher and the setup race for the record's name; the setup seldom wins. */
const ATTEMPTS = 20;
const netnsDir = '/run/netns';
const recordDir = '/run/cni/results';
const pluginRuns = 'vulcan-net:plugin';
const lastPlugin = 'tc-redirect-tap';

const base = { verify: 'off', shutdown: 'leave' };

async function timed(work) {
  const begin = performance.now();
  const error = await work().then(
    () => null,
    (reason) => reason,
  );
  return { ms: performance.now() - begin, error };
}

function assertUndone(error) {
  if (error?.rolledBack !== true) throw new Error(`the setup did not fail as it should: ${error?.message}`);
}

/** Takes the name of the VM's record once its namespace has a name; what makes it free again. */
function takeRecordName(network, vmId) {
  const record = join(recordDir, `${network}-${vmId}-eth0`);
  const watcher = watch(netnsDir, (_event, name) => {
    if (name !== `vulcan-${vmId}`) return;
    watcher.close();
    try {
      writeFileSync(record, '', { flag: 'wx' });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
  });
  return async () => {
    watcher.close();
    await rm(record, { force: true });
  };
}

/** Milliseconds of a setup that fails. One that had its record before its name was taken counts for nothing. */
async function failedSetup(manager, vmId) {
  for (let attempt = 1; ; attempt++) {
    const free = takeRecordName(manager.network, vmId);
    const { ms, error } = await timed(() => manager.setup(vmId));
    if (error !== null || attempt === ATTEMPTS) {
      assertUndone(error);
      await free();
      return ms;
    }
    await manager.teardown(vmId);
    await free();
    await sleep(PAUSE_MS);
  }
}

/** Milliseconds of setups, failed setups and teardowns, which took turns. */
export async function nativeUndo(NetworkManager, vms) {
  const options = { ...base, network: 'bench-undo', bridge: 'undobr0', subnet: '10.193.0.0/16' };
  const manager = await NetworkManager.open({ ...options, backend: 'native' });
  const setup = [];
  const failed = [];
  const teardown = [];
  for (let vm = 0; vm < vms; vm++) {
    setup.push((await timed(() => manager.setup(`whole-${vm}`))).ms);
    await sleep(PAUSE_MS);
    failed.push(await failedSetup(manager, `failed-${vm}`));
    await sleep(PAUSE_MS);
    teardown.push((await timed(() => manager.teardown(`whole-${vm}`))).ms);
    await sleep(PAUSE_MS);
  }
  await settle(options.bridge);
  await manager.removeNetwork();
  await manager.close();
  return { setup, failed, teardown };
}

/** The chain's last plugin, but that its ADD fails. */
async function failingPlugin({ pluginDirs, workDir }) {
  const [real] = pluginDirs.map((dir) => join(dir, lastPlugin)).filter((file) => existsSync(file));
  const dir = join(workDir, 'failing');
  const script = `#!/bin/sh
[ "$CNI_COMMAND" = ADD ] || exec ${real}
cat > /dev/null
echo '{"cniVersion":"1.0.0","code":100,"msg":"as the benchmark wants it"}'
exit 1
`;
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, lastPlugin), script, { mode: 0o755 });
  return dir;
}

/** The same of the chain, and what is left of a failed setup when its last plugin has ended: its undo. */
export async function chainUndo(NetworkManager, tools, vms) {
  const { pluginDirs } = tools;
  const options = {
    ...base,
    backend: 'cni',
    network: 'bench-cundo',
    bridge: 'cundobr0',
    subnet: '10.194.0.0/16',
  };
  const manager = await NetworkManager.open({ ...options, pluginDirs });
  const failing = await NetworkManager.open({
    ...{ ...options, pluginDirs: [await failingPlugin(tools), ...pluginDirs] },
  });
  let failedAt = 0;
  const onRun = ({ type, command }) => {
    if (type === lastPlugin && command === 'ADD') failedAt = performance.now();
  };
  subscribe(pluginRuns, onRun);
  const setup = [];
  const failed = [];
  const undo = [];
  const teardown = [];
  for (let vm = 0; vm < vms; vm++) {
    setup.push((await timed(() => manager.setup(`whole-${vm}`))).ms);
    const { ms, error } = await timed(() => failing.setup(`failed-${vm}`));
    undo.push(performance.now() - failedAt);
    failed.push(ms);
    assertUndone(error);
    await sleep(PAUSE_MS);
    teardown.push((await timed(() => manager.teardown(`whole-${vm}`))).ms);
    await sleep(PAUSE_MS);
  }
  unsubscribe(pluginRuns, onRun);
  await settle(options.bridge);
  await manager.removeNetwork();
  for (const each of [failing, manager]) await each.close();
  return { setup, failed, undo, teardown };
}

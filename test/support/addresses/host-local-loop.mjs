// The real host-local, for containers that share a namespace: its file, its configuration, its prefix for containers, rounds.
import { spawnSync } from 'node:child_process';
import { holdSome } from './hold-some.mjs';

const [file = '', config = '', prefix = '', rounds = '0'] = process.argv.slice(2);

function call(command, id) {
  const env = {
    CNI_COMMAND: command,
    CNI_CONTAINERID: `${prefix}${id}`,
    CNI_NETNS: '/var/run/netns/host-local',
    CNI_IFNAME: 'eth0',
    CNI_PATH: '/nowhere',
  };
  const { status, stdout } = spawnSync(file, { env, input: config, encoding: 'utf8' });
  if (status !== 0) throw new Error(`host-local ${command}: ${stdout}`);
  return stdout;
}

await holdSome(
  Number(rounds),
  async (id) => JSON.parse(call('ADD', id)).ips[0].address.split('/')[0],
  async (id) => void call('DEL', id),
);

import { describe, expect, it } from 'vitest';
import { decodeResult } from '../../../lib/cni/result.ts';
import { attachmentStdin, gcStdin, statusStdin, versionStdin } from '../../../lib/cni/stdin.ts';
import type { AnyResult, PluginConf } from '../../../lib/cni/types.ts';
import { listOf } from './fakes.ts';

const list = listOf('0.4.0', { type: 'a', name: 'own', cniVersion: '9', z: [1.5, 1e21, 1e-7], html: '<&>' });

function firstOf({ plugins: [plugin] }: { readonly plugins: readonly PluginConf[] }): PluginConf {
  if (plugin === undefined) throw new Error('no plugin');
  return plugin;
}

function resultOf(value: object): AnyResult {
  const result = decodeResult(value, '');
  if (!result.ok) throw new Error(result.problem);
  return result.value;
}

describe('attachmentStdin', () => {
  it('is the plugin’s object under the list’s name and version, keys sorted, as Go writes it', () => {
    expect(attachmentStdin(list, firstOf(list), {}, null)).toBe(
      '{"cniVersion":"0.4.0","html":"\\u003c\\u0026\\u003e","name":"testnet","type":"a","z":[1.5,1e+21,1e-7]}',
    );
  });

  const previous = resultOf({
    cniVersion: '0.4.0',
    ips: [{ version: '4', address: '10.0.0.2/24', interface: 0 }],
    interfaces: [{ sandbox: '/ns', name: 'eth0' }],
  });

  it('prints prevResult in the order of its fields', () => {
    const plain = listOf('0.4.0', 'a');
    expect(attachmentStdin(plain, firstOf(plain), {}, previous)).toBe(
      '{"cniVersion":"0.4.0","name":"testnet","prevResult":{"cniVersion":"0.4.0",' +
        '"interfaces":[{"name":"eth0","sandbox":"/ns"}],"ips":[{"version":"4","interface":0,"address":"10.0.0.2/24"}],' +
        '"dns":{}},"type":"a"}',
    );
  });

  it('sorts it where a runtimeConfig is added after it, as libcni does', () => {
    const capable = listOf('0.4.0', { type: 'a', capabilities: { mac: true, ips: true, no: false } });
    const args = { mac: '02:00:00:00:00:01', no: 1, other: 2 };
    expect(attachmentStdin(capable, firstOf(capable), args, previous)).toBe(
      '{"capabilities":{"ips":true,"mac":true,"no":false},"cniVersion":"0.4.0","name":"testnet",' +
        '"prevResult":{"cniVersion":"0.4.0","dns":{},"interfaces":[{"name":"eth0","sandbox":"/ns"}],' +
        '"ips":[{"address":"10.0.0.2/24","interface":0,"version":"4"}]},' +
        '"runtimeConfig":{"mac":"02:00:00:00:00:01"},"type":"a"}',
    );
  });

  it('keeps the conflist’s own runtimeConfig unless it has something to say', () => {
    const own = { type: 'a', runtimeConfig: { mac: 'configured' } };
    const without = listOf('1.0.0', own);
    const withCapability = listOf('1.0.0', { ...own, capabilities: { mac: true } });
    const runtimeConfigOf = (conf: typeof without, args: object) =>
      JSON.parse(attachmentStdin(conf, firstOf(conf), { ...args }, null)).runtimeConfig;
    expect(runtimeConfigOf(without, { mac: 'given' })).toEqual({ mac: 'configured' });
    expect(runtimeConfigOf(withCapability, {})).toEqual({ mac: 'configured' });
    expect(runtimeConfigOf(withCapability, { mac: 'given' })).toEqual({ mac: 'given' });
  });

  it('does not take what every object inherits for a capability argument', () => {
    const capable = listOf('1.0.0', { type: 'a', capabilities: { constructor: true } });
    expect(JSON.parse(attachmentStdin(capable, firstOf(capable), {}, null))).not.toHaveProperty(
      'runtimeConfig',
    );
  });
});

describe('gcStdin', () => {
  const plain = listOf('1.1.0', 'a');

  it('says under both keys what is to stay', () => {
    expect(gcStdin(plain, firstOf(plain), [{ containerId: 'c', ifName: 'eth0' }])).toBe(
      '{"cni.dev/attachments":[{"containerID":"c","ifname":"eth0"}],' +
        '"cni.dev/valid-attachments":[{"containerID":"c","ifname":"eth0"}],' +
        '"cniVersion":"1.1.0","name":"testnet","type":"a"}',
    );
    expect(JSON.parse(gcStdin(plain, firstOf(plain), []))).toMatchObject({ 'cni.dev/attachments': [] });
  });

  it('says nothing about it where nothing is known', () => {
    expect(gcStdin(plain, firstOf(plain), null)).toBe(statusStdin(plain, firstOf(plain)));
  });
});

it('asks for versions with the newest one', () => {
  expect(versionStdin('1.1.0')).toBe('{"cniVersion":"1.1.0"}');
});

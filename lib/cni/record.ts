import { once } from '../async/once.ts';
import { Encoded, encodeMap, encodeStruct, isJsonObject } from './json.ts';
import { type Decoded, decodeRecord, parseJson } from './protocol.ts';
import { decodeResult, recordedResultText } from './result.ts';
import type { AttachmentKey, CacheRecord, RuntimeConf } from './types.ts';

/** The text of a record: libcni's `cniCacheV1`, to the byte. */

const kind = 'cniCacheV1';

const isEmpty = (value: object) => Object.keys(value).length === 0;

let encodedConfig = { config: '', base64: '' };

/** All records of a network have the same. */
function base64Of(config: string): string {
  if (encodedConfig.config !== config) {
    encodedConfig = { config, base64: Buffer.from(config).toString('base64') };
  }
  return encodedConfig.base64;
}

export function formatRecord(record: CacheRecord): string {
  const { containerId, config, ifName, network, netns, args, capabilityArgs, result } = record;
  return encodeStruct({
    kind,
    containerId,
    config: base64Of(config),
    ifName,
    networkName: network,
    netns: netns === '' ? undefined : netns,
    cniArgs: args.length === 0 ? undefined : args,
    capabilityArgs: isEmpty(capabilityArgs) ? undefined : new Encoded(encodeMap(capabilityArgs)),
    result: result === null ? undefined : new Encoded(recordedResultText(result)),
  });
}

function parseBareResult(value: unknown, key: AttachmentKey | null): Decoded<CacheRecord> {
  const result = decodeResult(value, '');
  if (!result.ok) return result;
  if (key === null) return { ok: false, problem: 'a bare result does not say whose it is' };
  return {
    ok: true,
    value: { ...key, config: '', netns: '', args: [], capabilityArgs: {}, result: result.value },
  };
}

/**
 * A record of libcni's, ours or another's. Before `cniCacheV1` the file was the bare result: such a record is of the
 * attachment that its file's name was made from, and where that is not known it can't be read.
 */
export function parseRecord(text: string, key: AttachmentKey | null): Decoded<CacheRecord> {
  const json = parseJson(text);
  // The parser's own message quotes the file.
  if (!json.ok) return { ok: false, problem: 'it is not JSON' };
  if (isJsonObject(json.value) && !('kind' in json.value)) return parseBareResult(json.value, key);
  const raw = decodeRecord(json.value);
  if (!raw.ok) return raw;
  const { containerId, ifName, networkName, netns, cniArgs, capabilityArgs, result } = raw.value;
  if (raw.value.kind !== kind) return { ok: false, problem: `its kind is not "${kind}"` };
  if (containerId === '' || ifName === '' || networkName === '') {
    return { ok: false, problem: 'containerId, ifName or networkName is missing' };
  }
  const decoded = once(() => (result === null ? null : decodeResult(result, '')));
  return {
    ok: true,
    value: {
      ...{ network: networkName, containerId, ifName, netns, args: cniArgs, capabilityArgs },
      config: Buffer.from(raw.value.config, 'base64').toString(),
      // Most who read many records look only at whose they are.
      get result() {
        const value = decoded();
        return value?.ok ? value.value : null;
      },
    },
  };
}

/** What a DEL or CHECK of a recorded attachment is told: what its ADD was. */
export function runtimeConfOf({
  containerId,
  netns,
  ifName,
  args,
  capabilityArgs,
}: CacheRecord): RuntimeConf {
  return { containerId, netns, ifName, args, capabilityArgs };
}

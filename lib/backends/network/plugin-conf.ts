import { join } from 'node:path';
import { isJsonObject } from '../../cni/json.ts';
import type { JsonObject } from '../../cni/types.ts';

/** What a plugin's configuration says, read as the plugins of containernetworking read it, with their defaults. */

/** `undefined`: none, or an empty one. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

export function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** The bridge plugin's bridge (plugins/main/bridge/bridge.go). */
export function bridgeNameOf(bridge: JsonObject): string {
  return text(bridge['bridge']) ?? 'cni0';
}

/** host-local's directory of a network (plugins/ipam/host-local/backend/disk/backend.go). */
export function addressDirOf(ipam: JsonObject, network: string): string {
  return join(text(ipam['dataDir']) ?? '/var/lib/cni/networks', network);
}

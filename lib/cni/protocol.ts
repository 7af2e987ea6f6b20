import { z } from 'zod';
import { canonicalCidr, canonicalIp } from './ip-text.ts';
import { isJsonObject } from './json.ts';
import type { CniArg, JsonObject, LegacyResult, PluginConf, Result } from './types.ts';

/**
 * The wire formats: conflists, results of all versions, error and VERSION replies, records. The schema library stays in
 * here; what comes out is plain data of `types.ts`.
 *
 * Go decodes these into structs: a key fits whatever its case, `null` is as good as absent, and unknown keys are dropped.
 * Only a conflist's own keys are matched to the letter.
 */

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  /** What is wrong, and where: `ips[0].address: not CIDR`. */
  | { readonly ok: false; readonly problem: string };

export function parseJson(text: string): Decoded<unknown> {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, problem: (error as SyntaxError).message };
  }
}

function decoder<T>(schema: z.ZodType<T>): (value: unknown) => Decoded<T> {
  return (value) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return { ok: true, value: parsed.data };
    const [issue] = parsed.error.issues;
    const path = z.core.toDotPath(issue?.path ?? []);
    return { ok: false, problem: `${path === '' ? '' : `${path}: `}${issue?.message ?? 'invalid'}` };
  };
}

/** An object of which Go would decode the given fields. */
function struct<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const names = new Map(Object.keys(shape).map((name) => [name.toLowerCase(), name]));
  const rename = (value: unknown) => {
    if (!isJsonObject(value)) return value;
    const renamed: Record<string, unknown> = {};
    for (const [key, inner] of Object.entries(value)) {
      const name = names.get(key.toLowerCase());
      if (name !== undefined) renamed[name] = inner;
    }
    return renamed;
  };
  return z.preprocess(rename, z.object(shape));
}

/** `null` and absence give Go's zero value. */
function orZero<T, Zero>(schema: z.ZodType<T>, zero: Zero) {
  return schema.nullish().transform((value) => value ?? zero);
}

const text = orZero(z.string(), '');
const integer = orZero(z.int(), 0);
const integerPointer = orZero(z.int(), null);
const listOf = <T>(item: z.ZodType<T>) => orZero(z.array(item), []);

function canonical(parse: (text: string) => string | null, message: string) {
  return z.string().transform((value, context) => {
    const parsed = parse(value);
    if (parsed !== null) return parsed;
    context.issues.push({ code: 'custom', message, input: value });
    return z.NEVER;
  });
}

const cidr = canonical(canonicalCidr, 'not CIDR');
const ip = orZero(
  canonical((value) => (value === '' ? '' : canonicalIp(value)), 'not an address'),
  '',
).transform((value) => (value === '' ? null : value));

const dns = orZero(
  struct({
    nameservers: listOf(z.string()),
    domain: text,
    search: listOf(z.string()),
    options: listOf(z.string()),
  }),
  { nameservers: [], domain: '', search: [], options: [] },
);

const route = struct({
  dst: cidr,
  gw: ip,
  mtu: integer,
  advmss: integer,
  priority: integer,
  table: integerPointer,
  scope: integerPointer,
});

/** Up to 0.4.0 an interface has no more than a name, a MAC and a sandbox. */
const oldInterface = struct({ name: text, mac: text, sandbox: text }).transform((value) => ({
  ...value,
  mtu: 0,
  socketPath: '',
  pciId: '',
}));

const newInterface = struct({
  name: text,
  mac: text,
  mtu: integer,
  sandbox: text,
  socketPath: text,
  pciID: text,
}).transform(({ pciID: pciId, ...value }) => ({ ...value, pciId }));

const address = { interface: integerPointer, address: cidr, gateway: ip };
const oldIp = struct({ ...address, version: text });
const newIp = struct(address).transform((value) => ({ ...value, version: '' }));

const oldResult = struct({
  cniVersion: text,
  interfaces: listOf(oldInterface),
  ips: listOf(oldIp),
  routes: listOf(route),
  dns,
});

const newResult = struct({
  cniVersion: text,
  interfaces: listOf(newInterface),
  ips: listOf(newIp),
  routes: listOf(route),
  dns,
});

const legacyIp = orZero(struct({ ip: cidr, gateway: ip, routes: listOf(route) }), null);
const legacyResult = struct({ cniVersion: text, ip4: legacyIp, ip6: legacyIp, dns });

/** A result in the format of 0.1.0 and 0.2.0, of 0.3.0 to 0.4.0, and from 1.0.0 on. */
export const decodeLegacyResult: (value: unknown) => Decoded<LegacyResult> = decoder(legacyResult);
export const decodeOldResult: (value: unknown) => Decoded<Result> = decoder(oldResult);
export const decodeNewResult: (value: unknown) => Decoded<Result> = decoder(newResult);

export interface ErrorReply {
  readonly code: number;
  readonly msg: string;
  readonly details: string;
}

/** What a plugin prints when it fails; an object that says nothing at all is not one. */
export const decodeErrorReply: (value: unknown) => Decoded<ErrorReply> = decoder(
  struct({ code: integer, msg: text, details: text }).refine(
    ({ code, msg }) => code !== 0 || msg !== '',
    'neither code nor msg',
  ),
);

export interface VersionReply {
  readonly cniVersion: string;
  readonly supportedVersions: readonly string[];
}

export const decodeVersionReply: (value: unknown) => Decoded<VersionReply> = decoder(
  struct({ cniVersion: text, supportedVersions: listOf(z.string()) }),
);

const plugin = z.record(z.string(), z.unknown()).transform((raw, context): PluginConf => {
  const parsed = pluginFields.safeParse(raw);
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) {
      context.issues.push({ code: 'custom', path, message, input: raw });
    }
    return z.NEVER;
  }
  const { type, name, capabilities, ipam } = parsed.data;
  const declared = Object.entries(capabilities).filter(([, supported]) => supported);
  return { type, name, capabilities: declared.map(([capability]) => capability), ipamType: ipam.type, raw };
});

const pluginFields = struct({
  type: z.string('missing').min(1, 'empty'),
  name: text,
  cniVersion: text,
  capabilities: orZero(z.record(z.string(), orZero(z.boolean(), false)), {}),
  ipam: orZero(struct({ type: text }), { type: '' }),
  dns,
});

export const decodePlugin: (value: unknown) => Decoded<PluginConf> = decoder(plugin);

const spelledBoolean = z
  .union([z.boolean(), z.string().regex(/^(true|false)$/i)], 'neither a boolean nor "true" or "false"')
  .default(false)
  .transform((value) => value === true || (typeof value === 'string' && value.toLowerCase() === 'true'));

export interface RawConfList {
  readonly name: string;
  readonly cniVersion: string;
  readonly cniVersions: readonly string[] | null;
  readonly disableCheck: boolean;
  readonly disableGC: boolean;
  readonly loadOnlyInlinedPlugins: boolean;
  /** `null` when the conflist has no such key: its plugins are in files of their own. */
  readonly plugins: readonly PluginConf[] | null;
}

export const decodeConfList: (value: unknown) => Decoded<RawConfList> = decoder(
  z.object({
    name: z.string(),
    cniVersion: z.string().default(''),
    cniVersions: z
      .array(z.string())
      .optional()
      .transform((value) => value ?? null),
    disableCheck: spelledBoolean,
    disableGC: spelledBoolean,
    loadOnlyInlinedPlugins: spelledBoolean,
    plugins: z
      .array(plugin)
      .min(1, 'empty')
      .optional()
      .transform((value) => value ?? null),
  }),
);

export interface RawRecord {
  readonly kind: string;
  readonly containerId: string;
  /** Base64. */
  readonly config: string;
  readonly ifName: string;
  readonly networkName: string;
  readonly netns: string;
  readonly cniArgs: readonly CniArg[];
  readonly capabilityArgs: JsonObject;
  readonly result: JsonObject | null;
}

export const decodeRecord: (value: unknown) => Decoded<RawRecord> = decoder(
  struct({
    kind: text,
    containerId: text,
    config: text,
    ifName: text,
    networkName: text,
    netns: text,
    cniArgs: listOf(z.tuple([z.string(), z.string()])),
    capabilityArgs: orZero(z.record(z.string(), z.unknown()), {}),
    result: orZero(z.record(z.string(), z.unknown()), null),
  }),
);

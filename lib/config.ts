import { z } from 'zod';
import { type Cidr, formatAddress, formatCidr, hostRange, parseAddress, parseCidr } from './address.ts';
import { bridgeNames, bridgesFor, layoutProblem, maxPorts } from './bridges.ts';
import { type ErrorCode, NetworkError } from './errors.ts';
import type {
  GcOptions,
  NetworkManagerOptions,
  PoolOptions,
  SetupOptions,
  TeardownOptions,
  VerbOptions,
} from './options.ts';
import {
  cniNameRule,
  gatewayRule,
  ipRule,
  linkNameRule,
  macRule,
  pathRule,
  type Rule,
  rangesRule,
  subnetRule,
  subnetSizeRule,
  vmIdRule,
} from './rules.ts';
import type {
  Config,
  GeneratedNetwork,
  OwnConflist,
  PoolConfig,
  SetupConfig,
  TeardownConfig,
} from './settings.ts';
import type { Logger, NetworkDns, TapOwner } from './types.ts';

/** A value of the right type that breaks a rule is an error with a code; a wrong type is a TypeError. */
function ruled<Schema extends z.ZodType<string | number>>(
  schema: Schema,
  code: ErrorCode,
  broken: Rule<z.output<Schema>>,
) {
  return schema.superRefine((value, context) => {
    const message = broken(value);
    if (message !== null) context.addIssue({ code: 'custom', message, params: { code } });
  });
}

const text = (rule: Rule) => ruled(z.string(), 'ERR_OPTION_INVALID', rule);

const integer = (min: number, max: number) =>
  ruled(z.number(), 'ERR_OPTION_INVALID', (number) =>
    Number.isInteger(number) && number >= min && number <= max ? null : `is no integer from ${min} to ${max}`,
  );

/** What has methods is looked at, not copied. */
const shaped = <T extends object>(what: string, names: readonly (keyof T)[]) =>
  z.custom<T>(
    (input) =>
      typeof input === 'object' && input !== null && names.every((name) => (input as T)[name] !== undefined),
    `is no ${what}`,
  );

const path = text(pathRule);
const pluginDir = text((directory) => pathRule(directory) ?? (directory.includes(':') ? 'has a ":"' : null));
const linkName = ruled(z.string(), 'ERR_LINK_NAME_INVALID', linkNameRule);
const subnet = ruled(
  ruled(z.string(), 'ERR_SUBNET_INVALID', subnetRule),
  'ERR_SUBNET_TOO_SMALL',
  subnetSizeRule,
);
/** Every namespace has it. */
const loopback = 'lo';
const cniName = text(cniNameRule);
const ip = text(ipRule);
/** setTimeout takes more for 1 ms. */
const timeout = integer(1, 2 ** 31 - 1);
const id = integer(0, 2 ** 32 - 2);

/** As the kernel, and so host-local's files, spell it. */
function canonical(address: string): string {
  const parsed = parseAddress(address);
  return parsed === null ? address : formatAddress(parsed);
}

/** The options that a conflist of the user's own says itself. */
const generatedShape = {
  layout: z.enum(['bridge', 'bridges', 'routed']).optional(),
  portsPerBridge: integer(1, maxPorts).optional(),
  bridge: linkName.optional(),
  subnet: subnet.optional(),
  gateway: ip.optional(),
  ranges: z.array(z.strictObject({ start: ip, end: ip })).optional(),
  mtu: integer(68, 65_535).optional(),
  hairpin: z.boolean().optional(),
  isolated: z.boolean().optional(),
  promiscuous: z.boolean().optional(),
  dns: z
    .strictObject({
      nameservers: z.array(ip).default([]),
      domain: z.string().nullable().default(null),
      search: z.array(z.string()).default([]),
      options: z.array(z.string()).default([]),
    } satisfies Record<keyof NetworkDns, z.ZodType>)
    .optional(),
  routes: z
    .array(z.strictObject({ destination: text(subnetRule), gateway: ip.nullable().default(null) }))
    .optional(),
  confDir: path.optional(),
  addressDir: path.optional(),
};

const tapOwnerSchema = z.strictObject({ uid: id, gid: id });

const mostSlots = 10_000;
const longestRestMs = 3_600_000;
const poolSchema = z.strictObject({
  min: integer(0, mostSlots),
  max: integer(1, mostSlots),
  tapName: linkName.default('tap0'),
  tapOwner: tapOwnerSchema.optional(),
  recycle: z.boolean().optional(),
  restMs: integer(0, longestRestMs).optional(),
} satisfies Record<keyof PoolOptions, z.ZodType>);

const managerSchema = z.strictObject({
  ...generatedShape,
  network: cniName.optional(),
  backend: z.enum(['native', 'cni']).default('native'),
  conflist: path.optional(),
  pluginDirs: z.array(pluginDir).default(['/opt/cni/bin', '/usr/lib/cni']),
  stateDir: path.optional(),
  netnsDir: path.default('/var/run/netns'),
  ifName: ruled(linkName, 'ERR_LINK_NAME_INVALID', (name) =>
    name === loopback ? 'is the loopback of every namespace' : null,
  ).default('eth0'),
  hostAccess: z
    .union([
      z.literal('all'),
      z.array(z.strictObject({ protocol: z.enum(['tcp', 'udp']), port: integer(1, 65_535) })),
    ])
    .default([]),
  allowLinkLocal: z.boolean().default(false),
  masquerade: z.boolean().default(true),
  antiSpoofing: z.boolean().default(true),
  pool: z.union([poolSchema, z.array(poolSchema)]).optional(),
  verify: z.enum(['warn', 'throw', 'off']).default('warn'),
  shutdown: z.enum(['teardown', 'leave']).default('teardown'),
  signals: z.array(z.enum(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'])).default([]),
  logger: shaped<Logger>('logger', ['debug', 'info', 'warn', 'error']).optional(),
  timeoutMs: timeout.default(60_000),
  pluginTimeoutMs: timeout.default(20_000),
} satisfies Record<keyof NetworkManagerOptions, z.ZodType>);

/** A reboot takes what is in the first with the kernel's state; the second is libcni's own. */
const defaultStateDirs = { native: '/run/cni', cni: '/var/lib/cni' } as const;

const verbShape = {
  signal: shaped<AbortSignal>('AbortSignal', ['aborted', 'addEventListener']).optional(),
  timeoutMs: timeout.optional(),
};

const setupSchema = z.strictObject({
  ...verbShape,
  mac: ruled(z.string(), 'ERR_MAC_INVALID', macRule).toLowerCase().optional(),
  address: ip.transform(canonical).optional(),
  tapOwner: tapOwnerSchema.optional(),
  tapName: linkName.default('tap0'),
  containerId: cniName.optional(),
} satisfies Record<keyof SetupOptions, z.ZodType>);

const teardownSchema = z.strictObject({
  timeoutMs: timeout.optional(),
  wait: z.boolean().default(false),
} satisfies Record<keyof TeardownOptions, z.ZodType>);

const vmIdSchema = ruled(z.string(), 'ERR_VM_ID_INVALID', vmIdRule);

const gcSchema = z.strictObject({
  ...verbShape,
  keep: z.array(vmIdSchema),
} satisfies Record<keyof GcOptions, z.ZodType>);

const verbSchema = z.strictObject(verbShape satisfies Record<keyof VerbOptions, z.ZodType>);

/** Most verbs on a VM's path are told nothing; a schema takes longer over that than all else around it. */
const bareSetup = setupSchema.parse({});
const bareTeardown = teardownSchema.parse({});

type Issue = z.core.$ZodIssue;

/** Of a value that may be several things, the issue of the one it was meant to be: the deepest. */
function meant(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const candidates = issue.errors.flatMap(([first]) => (first === undefined ? [] : [meant(first)]));
  const [deepest = issue] = candidates.sort((one, other) => other.path.length - one.path.length);
  return { ...deepest, path: [...issue.path, ...deepest.path] };
}

function problemOf(issue: Issue): Error {
  const { code, input } = issue;
  const where = z.core.toDotPath(issue.path);
  if (code === 'unrecognized_keys') return new TypeError(`unknown option: ${issue.keys.join(', ')}`);
  const subject = typeof input === 'string' ? `${where} ${JSON.stringify(input)}` : where;
  if (code === 'custom' && issue.params !== undefined) {
    return new NetworkError(issue.params['code'] as ErrorCode, `${subject} ${issue.message}`);
  }
  if (code === 'invalid_value' && typeof input === 'string') {
    return new NetworkError('ERR_OPTION_INVALID', `${subject} is none of ${issue.values.join(', ')}`);
  }
  return new TypeError(`${where}: ${issue.message}`);
}

function parse<Schema extends z.ZodType>(schema: Schema, input: unknown, name: string): z.output<Schema> {
  const parsed = schema.safeParse(input, { reportInput: true });
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  if (first === undefined) throw parsed.error;
  const issue = meant(first);
  throw problemOf({ ...issue, path: issue.path.length === 0 ? [name] : issue.path });
}

function invalid(code: ErrorCode, name: string, problem: string): NetworkError {
  return new NetworkError(code, `${name} ${problem}`);
}

const defaultPortsPerBridge = 256;

/** What of the bridges the options say; `addresses` is how many guests can have one. */
function bridgesOf(options: z.output<typeof managerSchema>, cidr: Cidr, addresses: bigint) {
  const { layout = 'bridge', bridge = 'fcbr0', portsPerBridge = defaultPortsPerBridge } = options;
  if (layout !== 'bridges' && options.portsPerBridge !== undefined) {
    throw invalid('ERR_OPTION_INVALID', 'portsPerBridge', "is for layout: 'bridges'");
  }
  const one = { layout, bridge, bridgeCount: 1, portsPerBridge };
  if (layout === 'bridge') return one;
  const problem = layoutProblem({ ...options, layout, family: cidr.address.family });
  if (problem !== null) throw invalid('ERR_OPTION_INVALID', `layout "${layout}"`, problem);
  if (layout === 'routed') return one;
  const bridgeCount = bridgesFor(addresses, portsPerBridge);
  const longest = bridgeNames(bridge, bridgeCount).at(-1) ?? bridge;
  const broken = linkNameRule(longest);
  if (broken === null) return { layout, bridge, bridgeCount, portsPerBridge };
  const tooLong = `is too long for the first of ${bridgeCount} bridges: "${longest}" ${broken}`;
  throw invalid('ERR_LINK_NAME_INVALID', `bridge "${bridge}"`, tooLong);
}

function generatedNetwork(options: z.output<typeof managerSchema>): GeneratedNetwork {
  const { network = 'fcnet', subnet = '10.168.0.0/24', mtu = null } = options;
  const { confDir = '/etc/cni/conf.d', addressDir = '/run/cni/networks' } = options;
  const cidr = parseCidr(subnet);
  const hosts = cidr && hostRange(cidr);
  if (cidr === null || hosts === null) throw invalid('ERR_SUBNET_INVALID', subnet, 'is not CIDR');
  const gateway = parseAddress(options.gateway ?? '') ?? hosts.first;
  const outside = gatewayRule(cidr)(formatAddress(gateway));
  if (outside !== null) throw invalid('ERR_GATEWAY_OUTSIDE', `gateway ${formatAddress(gateway)}`, outside);
  const { hairpin = false, isolated = false, promiscuous = false } = options;
  if (hairpin && promiscuous)
    throw invalid('ERR_OPTION_INVALID', 'hairpin', 'and promiscuous exclude each other');
  const ranges = (options.ranges ?? []).map(({ start, end }) => ({
    start: canonical(start),
    end: canonical(end),
  }));
  const misplaced = rangesRule(hosts)(ranges);
  if (misplaced !== null) throw invalid('ERR_OPTION_INVALID', 'ranges', misplaced);
  const everything = cidr.address.family === 4 ? '0.0.0.0/0' : '::/0';
  return {
    ...{ kind: 'generated', network, mtu, confDir, addressDir },
    // All but the gateway's.
    ...bridgesOf(options, cidr, hosts.last.value - hosts.first.value),
    subnet: formatCidr(cidr),
    gateway: formatAddress(gateway),
    ...{ ranges, hairpin, isolated, promiscuous },
    dns: options.dns ?? { nameservers: [], domain: null, search: [], options: [] },
    routes: options.routes ?? [{ destination: everything, gateway: null }],
  };
}

function ownConflist(options: z.output<typeof managerSchema>, file: string): OwnConflist {
  for (const name of Object.keys(generatedShape) as (keyof typeof generatedShape)[]) {
    if (options[name] !== undefined) {
      throw invalid(
        'ERR_OPTION_INVALID',
        name,
        'is what the conflist says: leave it, or leave conflist, out',
      );
    }
  }
  return { kind: 'own', path: file, network: options.network ?? null };
}

/** What a TAP device belongs to unless told otherwise: never to nobody, whom it would be open to. */
export function ourselves(): TapOwner {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}

function poolConfigs(options: z.output<typeof managerSchema>): readonly PoolConfig[] {
  const { backend, pool, ifName, antiSpoofing } = options;
  if (pool === undefined) return [];
  if (backend === 'cni') throw invalid('ERR_OPTION_INVALID', 'pool', 'is for the native backend alone');
  const kinds = new Set<string>();
  return [pool].flat().map(({ tapOwner = ourselves(), ...rest }) => {
    const { min, max, tapName, recycle = antiSpoofing, restMs = null } = rest;
    if (min > max) throw invalid('ERR_OPTION_INVALID', 'pool.min', 'is more than pool.max');
    refuseTakenName(tapName, ifName);
    const kind = `${tapName} ${tapOwner.uid} ${tapOwner.gid}`;
    if (kinds.has(kind))
      throw invalid('ERR_OPTION_INVALID', 'pool', 'has two with the same TAP name and owner');
    kinds.add(kind);
    if (recycle && !antiSpoofing) throw invalid('ERR_OPTION_INVALID', 'pool.recycle', 'needs antiSpoofing');
    return { min, max, tapName, tapOwner, recycle, restMs };
  });
}

function refuseTakenName(tapName: string, ifName: string): void {
  if (tapName !== ifName && tapName !== loopback) return;
  throw invalid('ERR_LINK_NAME_INVALID', `tapName "${tapName}"`, 'is taken by another link of the namespace');
}

/** Throws a TypeError, or a NetworkError with the code of the rule that is broken. */
export function resolveConfig(input: unknown): Config {
  const options = parse(managerSchema, input, 'options');
  const {
    conflist,
    logger = null,
    verify,
    shutdown,
    signals,
    masquerade,
    allowLinkLocal,
    antiSpoofing,
  } = options;
  const {
    backend,
    stateDir = defaultStateDirs[backend],
    pluginDirs,
    netnsDir,
    ifName,
    hostAccess,
    timeoutMs,
    pluginTimeoutMs,
  } = options;
  return {
    source: conflist === undefined ? generatedNetwork(options) : ownConflist(options, conflist),
    ...{
      backend,
      pluginDirs,
      stateDir,
      netnsDir,
      ifName,
      hostAccess,
      allowLinkLocal,
      masquerade,
      antiSpoofing,
    },
    pools: poolConfigs(options),
    ...{ verify, shutdown, signals, logger, timeoutMs, pluginTimeoutMs },
  };
}

/** Says nothing: no schema needs to look at it. */
function isBare(input: unknown): boolean {
  return (
    typeof input === 'object' &&
    input !== null &&
    Object.getPrototypeOf(input) === Object.prototype &&
    Reflect.ownKeys(input).length === 0
  );
}

export function resolveVmId(input: unknown): string {
  if (typeof input === 'string' && vmIdRule(input) === null) return input;
  return parse(vmIdSchema, input, 'vmId');
}

/** `ifName` is that of the link which the TAP stands beside. */
export function resolveSetup(input: unknown, vmId: string, ifName: string): SetupConfig {
  const options = isBare(input) ? bareSetup : parse(setupSchema, input, 'options');
  const { mac = null, address = null, tapOwner = null, containerId = vmId } = options;
  const { tapName, signal, timeoutMs } = options;
  refuseTakenName(tapName, ifName);
  return { mac, address, tapOwner, tapName, containerId, signal, timeoutMs };
}

export function resolveTeardown(input: unknown): TeardownConfig {
  return isBare(input) ? bareTeardown : parse(teardownSchema, input, 'options');
}

export function resolveVerb(input: unknown): VerbOptions {
  return parse(verbSchema, input, 'options');
}

export function resolveGc(input: unknown): GcOptions {
  return parse(gcSchema, input, 'options');
}

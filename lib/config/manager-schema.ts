import { z } from 'zod';
import { maxPorts } from '../bridges.ts';
import type { NetworkManagerOptions, PoolOptions } from '../options.ts';
import { dnsTextRule, subnetRule } from '../rules.ts';
import type { Logger, NetworkDns } from '../types.ts';
import {
  cniName,
  integer,
  ip,
  linkName,
  loopback,
  path,
  pluginDir,
  ruled,
  shaped,
  subnet,
  tapOwner,
  text,
  timeout,
} from './schema.ts';

/** The options of `open`. */

/** The least that IPv4 needs, and what a TAP has room for beside its Ethernet header. */
const mtuRange = { least: 68, most: 65_521 } as const;

/** The options that a conflist of the user's own says itself. */
export const generatedShape = {
  layout: z.enum(['bridge', 'bridges', 'routed']).optional(),
  portsPerBridge: integer(1, maxPorts).optional(),
  bridge: linkName.optional(),
  subnet: subnet.optional(),
  gateway: ip.optional(),
  ranges: z.array(z.strictObject({ start: ip, end: ip })).optional(),
  mtu: integer(mtuRange.least, mtuRange.most).optional(),
  hairpin: z.boolean().optional(),
  isolated: z.boolean().optional(),
  promiscuous: z.boolean().optional(),
  dns: z
    .strictObject({
      nameservers: z.array(ip).default([]),
      domain: text(dnsTextRule).nullable().default(null),
      search: z.array(text(dnsTextRule)).default([]),
      options: z.array(text(dnsTextRule)).default([]),
    } satisfies Record<keyof NetworkDns, z.ZodType>)
    .optional(),
  routes: z
    .array(z.strictObject({ destination: text(subnetRule), gateway: ip.nullable().default(null) }))
    .optional(),
  confDir: path.optional(),
  addressDir: path.optional(),
};

const mostSlots = 10_000;
const longestRestMs = 3_600_000;
const poolSchema = z.strictObject({
  min: integer(0, mostSlots),
  max: integer(1, mostSlots),
  tapName: linkName.default('tap0'),
  tapOwner: tapOwner.optional(),
  recycle: z.boolean().optional(),
  restMs: integer(0, longestRestMs).optional(),
} satisfies Record<keyof PoolOptions, z.ZodType>);

export const managerSchema = z.strictObject({
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
      z.literal('all', 'is neither "all" nor a list of { protocol, port }'),
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
  logger: shaped<Logger>('logger', {
    debug: 'function',
    info: 'function',
    warn: 'function',
    error: 'function',
  }).optional(),
  timeoutMs: timeout.default(60_000),
  pluginTimeoutMs: timeout.default(20_000),
} satisfies Record<keyof NetworkManagerOptions, z.ZodType>);

export type ManagerOptions = z.output<typeof managerSchema>;

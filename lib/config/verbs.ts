import { z } from 'zod';
import type { GcOptions, SetupOptions, TeardownOptions, VerbOptions } from '../options.ts';
import { macRule, vmIdRule } from '../rules.ts';
import type { SetupConfig, TeardownConfig } from '../settings.ts';
import {
  canonical,
  cniName,
  ip,
  linkName,
  parse,
  refuseTakenName,
  ruled,
  shaped,
  tapOwner,
  timeout,
} from './schema.ts';

/** What the verbs are told. */

const verbShape = {
  signal: shaped<AbortSignal>('AbortSignal', { aborted: 'boolean', addEventListener: 'function' }).optional(),
  timeoutMs: timeout.optional(),
};

const setupSchema = z.strictObject({
  ...verbShape,
  mac: ruled(z.string(), 'ERR_MAC_INVALID', macRule).toLowerCase().optional(),
  address: ip.transform(canonical).optional(),
  tapOwner: tapOwner.optional(),
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

export function resolveSetup(input: unknown, vmId: string, ifName: string): SetupConfig {
  const options = isBare(input) ? bareSetup : parse(setupSchema, input, 'options');
  const { mac = null, address = null, containerId = vmId } = options;
  const { tapName, tapOwner: owner = null, signal, timeoutMs } = options;
  refuseTakenName(tapName, ifName);
  return { mac, address, tapOwner: owner, tapName, containerId, signal, timeoutMs };
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

import { z } from 'zod';
import { formatAddress, parseAddress } from '../address.ts';
import { type ErrorCode, misuse, NetworkError } from '../errors.ts';
import {
  cniNameRule,
  ipRule,
  linkNameRule,
  pathRule,
  type Rule,
  subnetRule,
  subnetSizeRule,
} from '../rules.ts';

/** What options are made of, and what is said of an option that is wrong. */

/** A value of the right type that breaks a rule is an error with a code; a wrong type is a TypeError. */
export function ruled<Schema extends z.ZodType<string | number>>(
  schema: Schema,
  code: ErrorCode,
  broken: Rule<z.output<Schema>>,
) {
  return schema.superRefine((value, context) => {
    const message = broken(value);
    if (message !== null) context.addIssue({ code: 'custom', message, params: { code } });
  });
}

export const text = (rule: Rule) => ruled(z.string(), 'ERR_OPTION_INVALID', rule);

export const integer = (min: number, max: number) =>
  ruled(z.number(), 'ERR_OPTION_INVALID', (number) =>
    Number.isInteger(number) && number >= min && number <= max ? null : `is no integer from ${min} to ${max}`,
  );

/** What has methods is looked at, not copied. */
export const shaped = <T extends object>(
  what: string,
  types: Readonly<Partial<Record<keyof T, 'function' | 'boolean'>>>,
) =>
  z.custom<T>(
    (input) =>
      typeof input === 'object' &&
      input !== null &&
      Object.entries(types).every(([name, type]) => typeof (input as Record<string, unknown>)[name] === type),
    `is no ${what}`,
  );

export const path = text(pathRule);
export const pluginDir = text(
  (directory) => pathRule(directory) ?? (directory.includes(':') ? 'has a ":"' : null),
);
export const linkName = ruled(z.string(), 'ERR_LINK_NAME_INVALID', linkNameRule);
export const subnet = ruled(
  ruled(z.string(), 'ERR_SUBNET_INVALID', subnetRule),
  'ERR_SUBNET_TOO_SMALL',
  subnetSizeRule,
);
export const cniName = text(cniNameRule);
export const ip = text(ipRule);
/** setTimeout takes more for 1 ms. */
export const timeout = integer(1, 2 ** 31 - 1);
const id = integer(0, 2 ** 32 - 2);

/** As the kernel, and so host-local's files, spell it. */
export function canonical(address: string): string {
  const parsed = parseAddress(address);
  return parsed === null ? address : formatAddress(parsed);
}

export const tapOwner = z.strictObject({ uid: id, gid: id });

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
  if (code === 'unrecognized_keys') {
    const hint = issue.keys.includes('signal') ? ' (open takes it in its second argument)' : '';
    return misuse('ERR_INVALID_ARG_VALUE', `unknown option: ${issue.keys.join(', ')}${hint}`);
  }
  const subject = typeof input === 'string' ? `${where} ${JSON.stringify(input)}` : where;
  if (code === 'custom' && issue.params !== undefined) {
    return new NetworkError(issue.params['code'] as ErrorCode, `${subject} ${issue.message}`);
  }
  if (code === 'invalid_value' && typeof input === 'string') {
    const problem = issue.values.length === 1 ? issue.message : `is none of ${issue.values.join(', ')}`;
    return new NetworkError('ERR_OPTION_INVALID', `${subject} ${problem}`);
  }
  return misuse('ERR_INVALID_ARG_TYPE', `${where}: ${issue.message}`);
}

export function parse<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  name: string,
): z.output<Schema> {
  const parsed = schema.safeParse(input, { reportInput: true });
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  if (first === undefined) throw parsed.error;
  const issue = meant(first);
  throw problemOf({ ...issue, path: issue.path.length === 0 ? [name] : issue.path });
}

export function invalid(code: ErrorCode, name: string, problem: string): NetworkError {
  return new NetworkError(code, `${name} ${problem}`);
}

/** Every namespace has it. */
export const loopback = 'lo';

/** `ifName` is that of the link which the TAP stands beside. */
export function refuseTakenName(tapName: string, ifName: string): void {
  if (tapName !== ifName && tapName !== loopback) return;
  throw invalid('ERR_LINK_NAME_INVALID', `tapName "${tapName}"`, 'is taken by another link of the namespace');
}

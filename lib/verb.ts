import type { Stop } from './async/stop.ts';
import { NetworkError } from './errors.ts';
import type { Operation } from './types.ts';

/** What a verb is about, as its errors say. */
export interface Verb {
  readonly operation: Operation;
  readonly network?: string | undefined;
  readonly vmId?: string | undefined;
}

export function assertOpen(verb: Verb, closing: Stop): void {
  if (!closing.stopped) return;
  throw new NetworkError('ERR_CLOSED', `${verb.operation}: this manager is closed`, fieldsOf(verb));
}

/** The error of a verb that did not begin, as what it was told is not allowed; any other stays as it is. */
export function refusal(verb: Verb, error: unknown): unknown {
  if (!(error instanceof NetworkError) || error.operation !== undefined) return error;
  return error.with({ step: 'arguments', ...fieldsOf(verb) });
}

/** Of a verb that did not begin. */
function fieldsOf({ operation, network, vmId }: Verb): object {
  return {
    ...{ operation, network, vmId },
    ...(operation === 'setup' ? { rolledBack: true } : {}),
  };
}

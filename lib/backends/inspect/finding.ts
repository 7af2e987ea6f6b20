import type { Amendment } from '../../native/survey.ts';
import type { Difference, DifferenceSubject } from '../../types.ts';

/** What differs, and how it is put back. */
export interface Finding extends Difference {
  /** `inside`: in the namespace; `host`: outside of it; `null`: only a teardown and a new setup can help. */
  readonly fix:
    | { readonly on: 'inside'; readonly amendments: readonly Amendment[] }
    | { readonly on: 'host'; readonly apply: () => Promise<unknown> }
    | null;
}

export function onHost(subject: DifferenceSubject, message: string, apply: () => Promise<unknown>): Finding {
  return { subject, message, fix: { on: 'host', apply } };
}

export function onInside(
  subject: DifferenceSubject,
  message: string,
  ...amendments: readonly Amendment[]
): Finding {
  return { subject, message, fix: { on: 'inside', amendments } };
}

export function beyondRepair(subject: DifferenceSubject, message: string): Finding {
  return { subject, message, fix: null };
}

export function asDifference({ subject, message }: Finding): Difference {
  return { subject, message };
}

/** The same text is the same finding. */
export const textOf = ({ subject, message }: Difference): string => `${subject} ${message}`;

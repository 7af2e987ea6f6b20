import { setMaxListeners } from 'node:events';
import { type Stop, Stopper, type StopWatch, stopOf } from './async/stop.ts';
import { AbortError, NetworkError, type NetworkErrorFields } from './errors.ts';
import { StepDurations } from './steps.ts';
import type { Operation, StepTimes } from './types.ts';
import type { Verb } from './verb.ts';

export interface ScopeOptions extends Verb {
  readonly timeoutMs: number;
  /** The user's. */
  readonly signal?: AbortSignal | undefined;
  /** Stopped when the manager closes; absent for what closing waits for. */
  readonly closing?: Stop | undefined;
}

/** One run of a verb: how long it may take, what may stop it, and which step it has reached. */
export class Scope implements Stop {
  readonly operation: Operation;
  readonly #durations = new StepDurations();
  #step = 'start';
  /** `null`: what the step takes is known already. */
  #since: number | null = null;
  readonly #options: ScopeOptions;
  readonly #stopper = new Stopper();
  readonly #deadline: number;
  readonly #timer: NodeJS.Timeout;
  #closingWatch: StopWatch | null = null;
  #signalWatch: StopWatch | null = null;
  #signal: AbortSignal | null = null;
  #ending: 'timeout' | 'closed' | 'aborted' | null = null;

  constructor(options: ScopeOptions) {
    const { operation, timeoutMs, signal, closing } = options;
    this.operation = operation;
    this.#options = options;
    this.#deadline = performance.now() + timeoutMs;
    this.#timer = setTimeout(() => this.#end('timeout', null), timeoutMs);
    if (closing !== undefined) this.#closingWatch = this.#follow(closing, 'closed');
    if (signal === undefined) return;
    // One signal may stop any number of verbs at once; that is no leak.
    if (signal instanceof EventTarget) setMaxListeners(0, signal);
    this.#signalWatch = this.#follow(stopOf(signal), 'aborted');
  }

  /** For the message, should time run out. */
  get step(): string {
    return this.#step;
  }

  set step(step: string) {
    const now = performance.now();
    this.#endStep(now);
    this.#step = step;
    this.#since = now;
  }

  /** The present step in detail, as whoever did it has measured it. */
  took(steps: StepTimes): void {
    for (const step in steps) this.#durations.add(step, steps[step] ?? 0);
    this.#since = null;
  }

  /** Of all steps so far. */
  get durations(): StepDurations {
    this.#endStep(performance.now());
    return this.#durations;
  }

  get stopped(): boolean {
    return this.#stopper.stopped;
  }

  get reason(): unknown {
    return this.#stopper.reason;
  }

  onStop(listener: () => void): StopWatch {
    return this.#stopper.onStop(listener);
  }

  /** For what knows nothing but signals. */
  get signal(): AbortSignal {
    this.#signal ??= signalOf(this.#stopper);
    return this.#signal;
  }

  /** What is left of the time, at least 1. */
  get remainingMs(): number {
    return Math.max(1, Math.ceil(this.#deadline - performance.now()));
  }

  /** The error that leaves the package: with its verb, VM and network, and the cause when it was an abort. */
  failure(error: unknown): unknown {
    const { operation, network, vmId, timeoutMs, signal } = this.#options;
    const step = this.step === 'start' ? undefined : this.step;
    const fields: NetworkErrorFields = { operation, ...defined({ network, vmId }) };
    if (error instanceof NetworkError) {
      // Where a set-up fails without a word of its undo, it had begun nothing yet.
      const rolledBack = operation === 'setup' ? true : undefined;
      return error.with({ ...defined({ step, rolledBack }), ...fields, ...known(error) });
    }
    if (!(error instanceof AbortError)) return error;
    const { rolledBack } = error;
    if (this.#ending === 'timeout') {
      const message = `${operation}${vmId === undefined ? '' : ` ${vmId}`} did not finish within ${timeoutMs} ms; it was at step ${this.step}`;
      const more = { step: this.step, rolledBack, cause: error };
      return new NetworkError('ERR_TIMEOUT', message, { ...fields, ...more });
    }
    if (this.#ending === 'closed') {
      const message = `${operation} was stopped: its manager closed`;
      return new NetworkError('ERR_CLOSED', message, {
        ...{ ...fields, ...defined({ step }), rolledBack, cause: error },
      });
    }
    const cause = signal?.reason ?? error.cause;
    return new AbortError(rolledBack, { ...fields, ...defined({ step }), cause });
  }

  /** Nothing stops it any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#closingWatch?.end();
    this.#signalWatch?.end();
  }

  #endStep(now: number): void {
    if (this.#since !== null) this.#durations.add(this.#step, now - this.#since);
    this.#since = null;
  }

  #follow(stop: Stop, ending: 'closed' | 'aborted'): StopWatch {
    const onStop = () => this.#end(ending, stop.reason);
    if (stop.stopped) onStop();
    return stop.onStop(onStop);
  }

  #end(ending: 'timeout' | 'closed' | 'aborted', reason: unknown): void {
    this.#ending ??= ending;
    this.#stopper.stop(reason);
  }
}

function signalOf(stop: Stop): AbortSignal {
  const controller = new AbortController();
  // A verb about many VMs waits for as many tasks at once.
  setMaxListeners(0, controller.signal);
  const abort = () => controller.abort(stop.reason);
  if (stop.stopped) abort();
  else stop.onStop(abort);
  return controller.signal;
}

function defined<T extends object>(fields: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof T]?: Exclude<T[Key], undefined> };
}

/** What the error says about itself stands over what the verb knows. */
function known({ network, vmId, step, rolledBack }: NetworkError): NetworkErrorFields {
  return defined({ network, vmId, step, rolledBack });
}

/** Runs a verb in a scope of its own; what it rejects with may leave the package. */
export async function inScope<T>(options: ScopeOptions, work: (scope: Scope) => Promise<T>): Promise<T> {
  const scope = new Scope(options);
  try {
    return await work(scope);
  } catch (error) {
    throw scope.failure(error);
  } finally {
    scope.end();
  }
}

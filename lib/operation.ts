import { setMaxListeners } from 'node:events';
import { AbortError, NetworkError, type NetworkErrorFields } from './errors.ts';
import type { Operation } from './types.ts';

export interface ScopeOptions {
  readonly operation: Operation;
  readonly network?: string | undefined;
  readonly vmId?: string | undefined;
  readonly timeoutMs: number;
  /** The user's. */
  readonly signal?: AbortSignal | undefined;
  /** Aborted when the manager closes; absent for what closing waits for. */
  readonly closing?: AbortSignal | undefined;
}

/** One run of a verb: how long it may take, what may abort it, and which step it has reached. */
export class Scope implements Disposable {
  readonly operation: Operation;
  readonly signal: AbortSignal;
  /** For the message, should time run out. */
  step = 'start';
  readonly #options: ScopeOptions;
  readonly #controller = new AbortController();
  readonly #deadline: number;
  readonly #timer: NodeJS.Timeout;
  readonly #listeners: (() => void)[] = [];
  #ending: 'timeout' | 'closed' | 'aborted' | null = null;

  constructor(options: ScopeOptions) {
    const { operation, timeoutMs, signal, closing } = options;
    this.operation = operation;
    this.signal = this.#controller.signal;
    this.#options = options;
    this.#deadline = performance.now() + timeoutMs;
    this.#timer = setTimeout(() => this.#end('timeout', null), timeoutMs);
    this.#follow(closing, 'closed');
    this.#follow(signal, 'aborted');
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
    if (error instanceof NetworkError)
      return error.with({ ...defined({ step }), ...fields, ...known(error) });
    if (!(error instanceof AbortError)) return error;
    const { rolledBack } = error;
    if (this.#ending === 'timeout') {
      const message = `${operation}${vmId === undefined ? '' : ` ${vmId}`} did not finish within ${timeoutMs} ms; it was at step ${this.step}`;
      const more = { step: this.step, rolledBack, cause: error };
      return new NetworkError('ERR_TIMEOUT', message, { ...fields, ...more });
    }
    if (this.#ending === 'closed') {
      const message = `${operation} was stopped: its manager closed`;
      return new NetworkError('ERR_CLOSED', message, { ...fields, rolledBack, cause: error });
    }
    return new AbortError(rolledBack, { cause: signal?.reason ?? error.cause });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const remove of this.#listeners) remove();
  }

  #follow(signal: AbortSignal | undefined, ending: 'closed' | 'aborted'): void {
    if (signal === undefined) return;
    // One signal may stop any number of verbs at once; that is no leak.
    if (signal instanceof EventTarget) setMaxListeners(0, signal);
    const onAbort = () => this.#end(ending, signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    this.#listeners.push(() => signal.removeEventListener('abort', onAbort));
  }

  #end(ending: 'timeout' | 'closed' | 'aborted', reason: unknown): void {
    if (this.#ending !== null) return;
    this.#ending = ending;
    this.#controller.abort(reason);
  }
}

function defined<T extends object>(fields: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof T]?: Exclude<T[Key], undefined> };
}

/** What the error says about itself stands over what the verb knows. */
function known({ network, vmId, step }: NetworkError): NetworkErrorFields {
  return defined({ network, vmId, step });
}

/** Runs a verb in a scope of its own; what it rejects with may leave the package. */
export async function inScope<T>(options: ScopeOptions, work: (scope: Scope) => Promise<T>): Promise<T> {
  using scope = new Scope(options);
  try {
    return await work(scope);
  } catch (error) {
    throw scope.failure(error);
  }
}

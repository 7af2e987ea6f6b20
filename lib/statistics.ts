import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { StepDurations } from './steps.ts';
import type { Departure, LatencySummary, ManagerStats, Origin, PoolState } from './types.ts';

const nanosecondsPerMs = 1e6;
/** From a tenth of a microsecond to a quarter of an hour, in 20 KiB. */
const bounds = { lowest: 100, highest: 1e12, figures: 2 };

class Latency {
  readonly #histogram: RecordableHistogram = createHistogram(bounds);

  record(durationMs: number): void {
    const ns = Math.round(durationMs * nanosecondsPerMs);
    this.#histogram.record(Math.min(bounds.highest, Math.max(1, ns)));
  }

  get summary(): LatencySummary {
    const { count, mean, max } = this.#histogram;
    if (count === 0) return { count, meanMs: 0, p50Ms: 0, p90Ms: 0, p99Ms: 0, maxMs: 0 };
    const percentile = (percent: number) => this.#histogram.percentile(percent) / nanosecondsPerMs;
    return {
      ...{ count, meanMs: mean / nanosecondsPerMs, maxMs: max / nanosecondsPerMs },
      ...{ p50Ms: percentile(50), p90Ms: percentile(90), p99Ms: percentile(99) },
    };
  }
}

/** Of each step, as it first comes. */
class StepLatencies {
  readonly #steps = new Map<string, Latency>();

  readonly record = (step: string, tookMs: number): void => {
    let latency = this.#steps.get(step);
    if (latency === undefined) {
      latency = new Latency();
      this.#steps.set(step, latency);
    }
    latency.record(tookMs);
  };

  get summary(): Readonly<Record<string, LatencySummary>> {
    return Object.fromEntries([...this.#steps].map(([step, latency]) => [step, latency.summary]));
  }
}

/** What a manager counts. */
export class Statistics {
  readonly #setup: Readonly<Record<Origin, Latency>> = { warm: new Latency(), cold: new Latency() };
  readonly #teardown = new Latency();
  readonly #recycled = new Latency();
  readonly #steps = {
    warm: new StepLatencies(),
    cold: new StepLatencies(),
    teardown: new StepLatencies(),
    recycled: new StepLatencies(),
  } satisfies Record<Origin | Departure, StepLatencies>;
  readonly #errors = new Map<string, number>();

  setup(origin: Origin, tookMs: number): void {
    this.#setup[origin].record(tookMs);
  }

  teardown(departure: Departure, tookMs: number): void {
    this.#teardown.record(tookMs);
    if (departure === 'recycled') this.#recycled.record(tookMs);
  }

  /** The error that a setup or a teardown failed with. */
  failed(error: unknown): unknown {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
    return error;
  }

  /** Of what succeeded. */
  steps(of: Origin | Departure, durations: StepDurations): void {
    durations.each(this.#steps[of].record);
  }

  snapshot(pools: readonly PoolState[]): ManagerStats {
    const [setup, steps] = [this.#setup, this.#steps];
    return {
      pools,
      latency: {
        setup: { warm: setup.warm.summary, cold: setup.cold.summary },
        teardown: this.#teardown.summary,
        recycled: this.#recycled.summary,
        steps: {
          ...{ warm: steps.warm.summary, cold: steps.cold.summary },
          ...{ teardown: steps.teardown.summary, recycled: steps.recycled.summary },
        },
      },
      errors: Object.fromEntries(this.#errors),
    };
  }
}

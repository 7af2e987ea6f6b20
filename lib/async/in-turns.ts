import { type Stop, throwIfStopped } from './stop.ts';

/**
 * Does the work for all of them, at most `width` at a time. Once one fails, or it is stopped, no other is begun; it rejects
 * when those under way have ended, so that a lock that is held meanwhile covers all of them.
 */
export async function inTurns<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<unknown>,
  stop?: Stop,
): Promise<void> {
  const left = items.values();
  const failures: unknown[] = [];
  const worker = async () => {
    for (const item of left) {
      if (failures.length > 0) return;
      try {
        if (stop !== undefined) throwIfStopped(stop, false);
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}

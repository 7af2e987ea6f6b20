import { NetworkError } from '../errors.ts';

/** Does the work, and keeps a NetworkError for later instead of throwing it: for what must go on past failures. */
export async function collect(errors: NetworkError[], work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    errors.push(error);
  }
}

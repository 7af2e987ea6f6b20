import { NetworkError } from '../../errors.ts';
import { defaultLogger } from '../../observe.ts';
import type { Config } from '../../settings.ts';
import type { Logger, VerifyFinding, VerifyReport } from '../../types.ts';

function log(logger: Logger, { id, severity, message, remedy }: VerifyFinding): void {
  const text = `${message}; remedy: ${remedy}`;
  if (severity === 'notice') logger.debug({ id, remedy }, text);
  else logger.warn({ id, severity, remedy }, text);
}

/** What `open` does about a report: each finding is logged, or the errors among them thrown. */
export async function verifyAtOpen(
  { verify, logger }: Pick<Config, 'verify' | 'logger'>,
  report: () => Promise<VerifyReport>,
): Promise<void> {
  if (verify === 'off') return;
  const { findings } = await report();
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (verify === 'throw' && errors.length > 0) {
    const text = errors.map(({ message, remedy }) => `${message}; remedy: ${remedy}`).join('\n');
    throw new NetworkError('ERR_VERIFY', text, { step: 'verify' });
  }
  for (const finding of findings) log(logger ?? defaultLogger, finding);
}

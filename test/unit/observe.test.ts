import { expect, it, vi } from 'vitest';
import { resolveConfig } from '../../lib/config/manager.ts';
import type { Logger } from '../../lib/types.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const;

/** What a manager with this logger logs by. */
function loggerOf(logger: Logger): Logger {
  const resolved = resolveConfig({ logger }).logger;
  if (resolved === null) throw new Error('there is no logger');
  return resolved;
}

/** Each level does the same. */
const alike = (method: Logger['debug']): Logger => ({
  ...{ debug: method, info: method, warn: method, error: method },
});

it.each(levels)('a logger gets what is logged by %s, as its own method', (level) => {
  class Recorder implements Logger {
    readonly seen: unknown[] = [];
    #note = (what: string, fields: object, message: string) => void this.seen.push([what, fields, message]);
    debug(fields: object, message: string) {
      this.#note('debug', fields, message);
    }
    info(fields: object, message: string) {
      this.#note('info', fields, message);
    }
    warn(fields: object, message: string) {
      this.#note('warn', fields, message);
    }
    error(fields: object, message: string) {
      this.#note('error', fields, message);
    }
  }
  const recorder = new Recorder();
  loggerOf(recorder)[level]({ vmId: 'vm-1' }, 'hello');
  expect(recorder.seen).toEqual([[level, { vmId: 'vm-1' }, 'hello']]);
});

it('a logger may change its methods', () => {
  const own = alike(() => {});
  const logger = loggerOf(own);
  own.warn = vi.fn<Logger['warn']>();
  logger.warn({}, 'hello');
  expect(own.warn).toHaveBeenCalledTimes(1);
});

it.each(levels)('what a logger throws at %s stays with it', (level) => {
  const method = vi.fn<Logger['debug']>(() => {
    throw new Error('the stream is destroyed');
  });
  loggerOf(alike(method))[level]({}, 'hello');
  expect(method).toHaveBeenCalledTimes(1);
});

it('what a logger rejects with stays with it', async () => {
  const unhandled = vi.fn();
  process.on('unhandledRejection', unhandled);
  loggerOf(alike(() => Promise.reject(new Error('nobody is there')))).error({}, 'hello');
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

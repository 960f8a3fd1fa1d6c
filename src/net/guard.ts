import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type ApiError, internal } from '../protocol/errors.ts';

/**
 * Wraps a callback that native code or a timer calls, where nobody catches. An error that it throws or rejects with is logged
 * as `<name> failed`, and `failed` gets an `INTERNAL` with the id of that line and the arguments of the call. The
 * wrapped callback never throws: an exception that reaches uWebSockets.js aborts the process.
 */
export type Guard = <Args extends readonly unknown[]>(
  name: string,
  callback: (...args: Args) => unknown,
  failed?: (refusal: ApiError, ...args: Args) => void,
) => (...args: Args) => void;

export function createGuard(log: Logger): Guard {
  return (name, callback, failed) =>
    (...args) => {
      const fail = (error: unknown) => {
        const requestId = randomUUID();
        try {
          log.error({ err: error, requestId }, `${name} failed`);
          failed?.(internal(requestId), ...args);
        } catch (consequence) {
          // Such as a socket that has closed since.
          log.debug({ err: consequence, requestId }, `${name} failed, and so did its error handler`);
        }
      };
      try {
        const result = callback(...args);
        if (result instanceof Promise) result.catch(fail);
      } catch (error) {
        fail(error);
      }
    };
}

import { registry } from '../../src/commands/registry.ts';
import { serviceRegistry } from '../../src/commands/service/registry.ts';
import { errorsOf } from '../../src/docs/openapi.ts';
import { errorsOf as errorsOfCommand, UNREADABLE_ERRORS } from '../../src/docs/schemas.ts';
import { routes } from '../../src/http/routes.ts';
import { errorCodes } from '../../src/protocol/errors.ts';
import type { Frame } from './client.ts';

/* Holds the errors that the server of any test answers to its documents, by which clients are written. */

const undescribed: string[] = [];

/** The codes with which a service connection may refuse any command, beside those of the command. */
const SERVICE_ERRORS = ['FORBIDDEN', 'NOT_FOUND'];

/** Notes an error reply with a code that its command does not have, or that does not say when to try again. */
export function checkFrame(frame: Frame, isService: boolean): void {
  if (!frame.error) return;
  const command = registry.get(frame.type) ?? (isService ? serviceRegistry.get(frame.type) : undefined);
  const codes: readonly string[] = [
    ...(command ? errorsOfCommand(command) : UNREADABLE_ERRORS),
    ...(isService ? SERVICE_ERRORS : []),
  ];
  const mayRetry = frame.code === 'RATE_LIMITED' || frame.code === 'UNAVAILABLE';
  if (codes.includes(frame.code) && (!mayRetry || frame.retryAfter >= 1)) return;
  undescribed.push(JSON.stringify(frame).slice(0, 2_000));
}

/** Throws if an error reply was noted since the last call. */
export function assertDescribedFrames(): void {
  const found = undescribed.splice(0);
  if (found.length > 0) throw new Error(`not as in asyncapi.yaml: ${found.join('\n')}`);
}

/** Throws if an answer has a status, an error code or a header that openapi.yaml does not describe for its call. */
export function assertDescribedAnswer(
  method: string,
  path: string,
  { status, headers, body }: { status: number; headers: Headers; body: unknown },
): void {
  const route = routes.find((one) => one.method === method && one.path === path);
  if (!route) return;
  const { code } = body as { code?: keyof typeof errorCodes };
  const isDescribed =
    code === undefined
      ? route.success[status] !== undefined
      : errorsOf(route).includes(code) && errorCodes[code].status === status;
  const mayRetry = status === 429 || status === 503;
  if (
    isDescribed &&
    mayRetry === Number(headers.get('retry-after')) >= 1 &&
    (status === 401) === (headers.get('www-authenticate') === 'Bearer')
  )
    return;
  const answer = JSON.stringify([status, Object.fromEntries(headers), body]);
  throw new Error(`not as in openapi.yaml: ${method} ${path}: ${answer}`);
}

import { VERSION } from '../version.ts';
import { loadOptional } from './optional.ts';

/** Reports faults of the server to a service, in addition to the log. */
export interface Faults {
  /** Reports an error. `message` is the log message, `fields` the fields of the log line, such as the request id. */
  capture(error: unknown, message: string, fields: object): void;
  /** Resolves when all reports are sent, or after two seconds. */
  flush(): Promise<void>;
}

/** Milliseconds after which sending a report is cancelled. */
const TIMEOUT = 5_000;
/** Milliseconds for which a stop waits for the last reports. */
const FLUSH = 2_000;

/** Reports to Sentry (https://docs.sentry.io), errors and stack traces only: nothing is instrumented or collected. */
export async function createFaults(dsn: string): Promise<Faults> {
  const load = () => Promise.all([import('@sentry/core'), import('@sentry/core/server')]);
  const [core, server] = await loadOptional('@sentry/core', 'SENTRY_DSN', load);
  const { createStackParser, createTransport, Scope } = core;
  const { nodeStackLineParser, ServerRuntimeClient } = server;
  const client = new ServerRuntimeClient({
    dsn,
    release: `parley@${VERSION}`,
    platform: 'node',
    runtime: { name: 'node', version: process.version },
    integrations: [],
    stackParser: createStackParser(nodeStackLineParser()),
    transport: (options) =>
      createTransport(options, async ({ body }) => {
        const { status, headers } = await fetch(options.url, {
          method: 'POST',
          body: typeof body === 'string' ? body : new Uint8Array(body),
          headers: options.headers ?? {},
          signal: AbortSignal.timeout(TIMEOUT),
        });
        return {
          statusCode: status,
          headers: {
            'x-sentry-rate-limits': headers.get('x-sentry-rate-limits'),
            'retry-after': headers.get('retry-after'),
          },
        };
      }),
  });
  client.init();
  return {
    capture(error, message, fields) {
      const { requestId, type, method, path } = fields as Readonly<Record<string, string | undefined>>;
      const scope = new Scope();
      scope.setTags({ what: message, requestId, type, method, path });
      client.captureException(error, {}, scope);
    },
    async flush() {
      await client.flush(FLUSH);
    },
  };
}

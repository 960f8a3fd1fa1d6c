import { VERSION } from '../version.ts';

/** Where faults of the server are reported, beside the log. */
export interface Faults {
  /** `what` happened, with what is known of the request in `fields`. */
  capture(error: unknown, what: string, fields: object): void;
  /** Resolves when all is reported, or after two seconds. */
  flush(): Promise<void>;
}

/** Milliseconds that a report may take. */
const TIMEOUT = 5_000;
/** Milliseconds that a stop waits for the last reports. */
const FLUSH = 2_000;

/** Reports to Sentry (https://docs.sentry.io), errors and stack traces only: nothing is instrumented or collected. */
export async function createFaults(dsn: string): Promise<Faults> {
  // Not needed by most.
  const { createStackParser, createTransport, Scope } = await import('@sentry/core');
  const { nodeStackLineParser, ServerRuntimeClient } = await import('@sentry/core/server');
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
    capture(error, what, fields) {
      const { requestId, type, method, path } = fields as Readonly<Record<string, string | undefined>>;
      const scope = new Scope();
      scope.setTags({ what, requestId, type, method, path });
      client.captureException(error, {}, scope);
    },
    async flush() {
      await client.flush(FLUSH);
    },
  };
}

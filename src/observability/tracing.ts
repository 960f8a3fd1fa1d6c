import { propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { VERSION } from '../version.ts';

type Attributes = Readonly<Record<string, string | number>>;

/** Spans of what clients ask for, from the frame to the push. */
export interface Tracing {
  /** `traceparent` is that of the caller (https://www.w3.org/TR/trace-context). Undefined when it is not sampled. */
  begin(name: string, attributes: Attributes, traceparent?: string): Trace | undefined;
  /** Resolves when everything is exported. */
  close(): Promise<void>;
}

/** The span of one command or HTTP request. */
export interface Trace {
  /** Records a part that took so many seconds and ends now. */
  part(name: string, seconds: number, attributes?: Attributes): void;
  /** `outcome` is `ok` or an error code. */
  end(outcome: string): void;
}

/**
 * Traces with OpenTelemetry, set by its own environment variables
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
 */
export async function createTracing(serviceName: string): Promise<Tracing> {
  // Large, and not needed by most.
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const sdk = new NodeSDK({ serviceName, instrumentations: [] });
  sdk.start();
  const tracer = trace.getTracer('parley', VERSION);

  return {
    begin(name, attributes, traceparent) {
      const parent = traceparent ? propagation.extract(ROOT_CONTEXT, { traceparent }) : ROOT_CONTEXT;
      const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
      if (!span.isRecording()) return undefined;
      const context = trace.setSpan(ROOT_CONTEXT, span);
      return {
        part(part, seconds, attributes = {}) {
          const now = performance.timeOrigin + performance.now();
          tracer.startSpan(part, { attributes, startTime: now - seconds * 1000 }, context).end(now);
        },
        end(outcome) {
          span.setAttribute('parley.outcome', outcome);
          if (outcome === 'INTERNAL') span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    close: () => sdk.shutdown(),
  };
}

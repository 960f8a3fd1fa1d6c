import { VERSION } from '../version.ts';
import { loadOptional } from './optional.ts';

type Attributes = Readonly<Record<string, string | number>>;

/** Records spans of commands and HTTP requests, from the frame to the push. */
export interface Tracing {
  /**
   * Begins a trace. `traceparent` is that of the caller (https://www.w3.org/TR/trace-context). Returns undefined if the
   * trace is not sampled.
   */
  begin(name: string, attributes: Attributes, traceparent?: string): Trace | undefined;
  /** Resolves when all spans are exported. */
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
 * Creates traces with OpenTelemetry, configured by its own environment variables
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
 */
export async function createTracing(serviceName: string): Promise<Tracing> {
  const { propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = await import('@opentelemetry/api');
  const load = () => import('@opentelemetry/sdk-node');
  const { NodeSDK } = await loadOptional('@opentelemetry/sdk-node', 'OTEL_EXPORTER_OTLP_ENDPOINT', load);
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

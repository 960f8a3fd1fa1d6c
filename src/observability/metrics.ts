import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type ApiError, LimitError, type LimitName } from '../protocol/errors.ts';
import { gaugeOpenFiles } from './openFiles.ts';
import { PlainHistogram, type Series } from './PlainHistogram.ts';

/** Metrics of the server, served as Prometheus text at `GET /metrics`. */
export interface Metrics {
  /** `start` is a `performance.now()`; `outcome` is `ok` or an error code. */
  commandDone(type: string, outcome: string, start: number): void;
  httpDone(method: string, route: string, status: number, start: number): void;
  batchWritten(size: number, seconds: number): void;
  /** Counts a command that was refused before it ran. */
  commandRefused(type: string, refusal: ApiError): void;
  /** Counts a refusal if it is a {@link LimitError}. */
  limitReached(refusal: ApiError): void;
  limited(limit: LimitName): void;
  /** `outcome` is `ok` or an error code. */
  upgradeDone(outcome: string): void;
  /**
   * Counts an ended connection. `code` is the close code of RFC 6455 or of closeCodes.ts, 1006 without a close frame.
   */
  connectionClosed(code: number): void;
  slowConsumerDropped(): void;
  /** Counts messages of other nodes that were read from the database because their publications did not arrive. */
  gapFilled(count: number): void;
  /** Counts an attempt to deliver a batch of events to a webhook, by how it ended. */
  webhookAttempted(outcome: string): void;
  /** Counts a webhook that was not paused by an operator. */
  webhookPaused(): void;
  text(): Promise<string>;
}

/** Connections of a pool and queries that wait for one. */
export interface PoolUse {
  readonly used: number;
  readonly free: number;
  readonly waiting: number;
}

/** Values that are read at each scrape. */
export interface Readings {
  connections(): number;
  users(): number;
  writerQueue(): number;
  searchLag(): number;
  /** Heavy commands that wait for a database connection. */
  heavyWaiting(): number;
  /** Seconds. */
  searchStalled(): number;
  /** By the name of the pool. */
  poolUse(): Readonly<Record<string, PoolUse>>;
  /** Undefined if the server does not terminate TLS itself. */
  certificateUntil(): Date | undefined;
  /** `lag` in seconds. */
  webhooks(): { readonly lag: number; readonly paused: number };
  /** Undefined on a single node. */
  nats(): { connected: boolean; subscriptions: number } | undefined;
}

/** Seconds. Light commands take less than a millisecond, a batch under load a few milliseconds. */
const LATENCY_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** The metrics of commands of one type with one outcome. */
interface Commands {
  readonly type: string;
  readonly outcome: string;
  count: number;
  readonly seconds: Series;
}

/** Creates the metrics. `readings` provides the gauges. */
export function createMetrics(readings: Readings): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers });
  collectDefaultMetrics({ register: registry });
  gaugeOpenFiles(registry);
  gaugeReadings(registry, readings);
  const commands = measureCommands(registry);

  const httpSeconds = new Histogram({
    name: 'parley_http_request_seconds',
    help: 'Time from an HTTP request to its response',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: LATENCY_BUCKETS,
    registers,
  });
  const batchSize = new PlainHistogram(registry, {
    name: 'parley_batch_messages',
    help: 'Messages in one committed batch',
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
  }).series();
  const batchSeconds = new PlainHistogram(registry, {
    name: 'parley_batch_seconds',
    help: 'Time to write and commit one batch',
    buckets: LATENCY_BUCKETS,
  }).series();
  const slowConsumers = counter(
    'parley_slow_consumers_dropped_total',
    'Sockets closed because their client stopped reading',
  );

  const upgrades = counter(
    'parley_upgrades_total',
    'Upgrades answered, by outcome (ok or an error code)',
    'outcome',
  );
  const closes = counter('parley_closes_total', 'Connections ended, by close code', 'code');
  const limited = counter('parley_limited_total', 'Refusals because a limit was reached, by limit', 'limit');
  const gapsFilled = counter(
    'parley_messages_healed_total',
    'Messages of other nodes that were read from the database because NATS did not deliver them in time',
  );
  const limitReached = (refusal: ApiError) => {
    if (refusal instanceof LimitError) limited.inc({ limit: refusal.limit });
  };

  return {
    commandDone: commands.done,
    httpDone(method, route, status, start) {
      httpSeconds.labels(method, route, String(status)).observe((performance.now() - start) / 1000);
    },
    batchWritten(size, seconds) {
      batchSize.observe(size);
      batchSeconds.observe(seconds);
    },
    commandRefused(type, refusal) {
      commands.refused(type, refusal.code);
      limitReached(refusal);
    },
    upgradeDone: (outcome) => upgrades.inc({ outcome }),
    connectionClosed: (code) => closes.inc({ code }),
    limitReached,
    limited: (limit) => limited.inc({ limit }),
    slowConsumerDropped: () => slowConsumers.inc(),
    gapFilled: (count) => gapsFilled.inc(count),
    ...countWebhooks(registry),
    text: () => registry.metrics(),
  };
}

/** Counts commands and measures the time to their replies. */
function measureCommands(registry: Registry) {
  const commandSeconds = new PlainHistogram(registry, {
    name: 'parley_command_seconds',
    help: 'Time from a command to its reply',
    label: 'type',
    buckets: LATENCY_BUCKETS,
  });
  /** By type and outcome. */
  const commands = new Map<string, Commands>();
  function commandsOf(type: string, outcome: string): Commands {
    const key = `${type} ${outcome}`;
    let known = commands.get(key);
    if (!known) {
      known = { type, outcome, count: 0, seconds: commandSeconds.series(type) };
      commands.set(key, known);
    }
    return known;
  }
  new Counter({
    name: 'parley_commands_total',
    help: 'Commands answered, by type and outcome (ok or an error code)',
    labelNames: ['type', 'outcome'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const { type, outcome, count } of commands.values()) this.inc({ type, outcome }, count);
    },
  });
  return {
    done(type: string, outcome: string, start: number): void {
      const known = commandsOf(type, outcome);
      known.count++;
      known.seconds.observe((performance.now() - start) / 1000);
    },
    refused(type: string, outcome: string): void {
      commandsOf(type, outcome).count++;
    },
  };
}

/** Counts what happens to webhooks. */
function countWebhooks(registry: Registry) {
  const attempts = new Counter({
    name: 'parley_webhook_attempts_total',
    help: 'Attempts to deliver a batch of events to a webhook, by outcome (accepted, gone, rejected, timeout, refused or failed)',
    labelNames: ['outcome'] as const,
    registers: [registry],
  });
  const pauses = new Counter({
    name: 'parley_webhook_pauses_total',
    help: 'Webhooks that this node has paused: they failed for 24 hours, answered 410, or lost their place',
    registers: [registry],
  });
  return {
    webhookAttempted: (outcome: string) => attempts.inc({ outcome }),
    webhookPaused: () => pauses.inc(),
  };
}

/** Registers the gauges of values that are read at each scrape. */
function gaugeReadings(registry: Registry, readings: Readings): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('parley_nats_connected', '1 while this node is connected to NATS, otherwise 0', () =>
    readings.nats()?.connected ? 1 : 0,
  );
  gauge(
    'parley_nats_subscriptions',
    'NATS subjects that this node subscribes to for its own users',
    () => readings.nats()?.subscriptions ?? 0,
  );
  gauge(
    'parley_certificate_expires_timestamp_seconds',
    'Expiry of the certificate of TLS_CERT, in seconds since the epoch; 0 without a certificate',
    () => (readings.certificateUntil()?.getTime() ?? 0) / 1000,
  );
  gauge('parley_users', 'Users with an open connection', readings.users);
  gauge('parley_connections', 'Open WebSocket connections', readings.connections);
  gauge('parley_writer_queue', 'Messages and changes that wait to be written', readings.writerQueue);
  gauge('parley_search_lag_messages', 'Messages that are not in the search index yet', readings.searchLag);
  gauge('parley_heavy_commands_waiting', 'Searches that wait for their turn', readings.heavyWaiting);
  gauge(
    'parley_search_stalled_seconds',
    'Time for which the search index has made no progress although messages wait, in seconds',
    readings.searchStalled,
  );
  gauge(
    'parley_webhook_lag_seconds',
    'Age of the oldest event that an active webhook has not accepted, as far as this node knows, in seconds',
    () => readings.webhooks().lag,
  );
  gauge(
    'parley_webhooks_paused',
    'Webhooks that are paused, except by an operator',
    () => readings.webhooks().paused,
  );
  for (const [name, help] of [
    ['used', 'Pool connections in use'],
    ['free', 'Idle pool connections'],
    ['waiting', 'Queries that wait for a pool connection'],
  ] as const)
    new Gauge({
      name: `parley_database_pool_${name}`,
      help: `${help}, by pool (reads: read commands; heavyReads: searches; changes: everything else)`,
      labelNames: ['pool'] as const,
      registers: [registry],
      collect() {
        for (const [pool, use] of Object.entries(readings.poolUse())) this.set({ pool }, use[name]);
      },
    });
}

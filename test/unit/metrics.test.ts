import { expect } from 'chai';
import { createMetrics, type Readings } from '../../src/observability/metrics.ts';
import { ApiError, LimitError } from '../../src/protocol/errors.ts';

const quiet: Readings = {
  connections: () => 1,
  users: () => 2,
  writerQueue: () => 3,
  searchLag: () => 4,
  heavyWaiting: () => 5,
  searchStalled: () => 6,
  poolUse: () => ({ reads: { used: 7, free: 8, waiting: 9 }, changes: { used: 10, free: 11, waiting: 12 } }),
  certificateUntil: () => undefined,
  webhooks: () => ({ lag: 0, paused: 0 }),
  nats: () => undefined,
};

/** Returns the values of the metrics that begin with `parley_`, without histograms. */
async function gaugesOf(readings: Readings): Promise<Record<string, number>> {
  const text = await createMetrics(readings).text();
  const lines = text.match(/^parley_\S+ \S+$/gm) ?? [];
  return Object.fromEntries(
    lines.map((line) => line.split(' ')).map(([name, value]) => [name, Number(value)]),
  );
}

describe('the metrics', () => {
  it('have each reading under its own name', async () => {
    expect(await gaugesOf(quiet)).to.include({
      ...{ parley_connections: 1, parley_users: 2, parley_writer_queue: 3, parley_search_lag_messages: 4 },
      ...{ parley_heavy_commands_waiting: 5, parley_search_stalled_seconds: 6 },
      'parley_database_pool_used{pool="reads"}': 7,
      'parley_database_pool_free{pool="reads"}': 8,
      'parley_database_pool_waiting{pool="reads"}': 9,
      'parley_database_pool_used{pool="changes"}': 10,
      'parley_database_pool_free{pool="changes"}': 11,
      'parley_database_pool_waiting{pool="changes"}': 12,
    });
  });

  it('are 0 for NATS and the certificate of a server without them', async () => {
    expect(await gaugesOf(quiet)).to.include({
      ...{ parley_nats_connected: 0, parley_nats_subscriptions: 0 },
      parley_certificate_expires_timestamp_seconds: 0,
    });
  });

  it('show an outage of NATS, and the expiry of the certificate in seconds', async () => {
    const readings = { ...quiet, certificateUntil: () => new Date(1_800_000_000_000) };
    const nats = (connected: boolean) => ({ ...readings, nats: () => ({ connected, subscriptions: 13 }) });
    expect(await gaugesOf(nats(true))).to.include({
      ...{ parley_nats_connected: 1, parley_nats_subscriptions: 13 },
      parley_certificate_expires_timestamp_seconds: 1_800_000_000,
    });
    expect(await gaugesOf(nats(false))).to.include({
      parley_nats_connected: 0,
      parley_nats_subscriptions: 13,
    });
  });

  it('count upgrades, closes and limits by their label', async () => {
    const metrics = createMetrics(quiet);
    for (const outcome of ['ok', 'ok', 'UNAUTHORIZED']) metrics.upgradeDone(outcome);
    metrics.connectionClosed(4401);
    metrics.limited('frame');
    metrics.gapFilled(3);
    metrics.slowConsumerDropped();
    const text = await metrics.text();
    for (const line of [
      'parley_upgrades_total{outcome="ok"} 2',
      'parley_upgrades_total{outcome="UNAUTHORIZED"} 1',
      'parley_closes_total{code="4401"} 1',
      'parley_limited_total{limit="frame"} 1',
      'parley_messages_healed_total 3',
      'parley_slow_consumers_dropped_total 1',
    ])
      expect(text).to.include(`${line}\n`);
  });

  it('measure commands, calls and batches in seconds, and batches by their size', async () => {
    const metrics = createMetrics(quiet);
    const start = performance.now() - 400;
    metrics.commandDone('ping', 'ok', start);
    metrics.httpDone('GET', '/metrics', 200, start);
    metrics.batchWritten(30, 0.4);
    const text = await metrics.text();
    for (const [name, labels] of [
      ['parley_command_seconds', 'type="ping"'],
      ['parley_http_request_seconds', 'method="GET",route="/metrics",status="200"'],
      ['parley_batch_seconds', ''],
    ] as const) {
      const sum = new RegExp(`^${name}_sum${labels && `{${labels}}`} (\\S+)$`, 'm').exec(text)?.[1];
      expect(Number(sum), name).to.be.within(0.4, 5);
    }
    expect(text).to.include('parley_batch_messages_sum 30\n');
    expect(text).to.include('parley_batch_messages_count 1\n');
  });

  it('count commands by their outcome at each look, those that never ran too, and refusals by their limit', async () => {
    const metrics = createMetrics(quiet);
    for (const outcome of ['ok', 'ok', 'FORBIDDEN']) metrics.commandDone('ping', outcome, 0);
    metrics.commandRefused('ping', new LimitError('commands', 'RATE_LIMITED', 'Too fast', 1));
    metrics.limitReached(new LimitError('heavy', 'UNAVAILABLE', 'Too many', 1));
    metrics.limitReached(new ApiError('UNAVAILABLE', 'The database is away', 1));
    for (let look = 0; look < 2; look++) {
      const lines = (await metrics.text()).match(
        /^parley_(commands|limited)_total\S+ \d+$|_seconds_count\{type\S+ \d+$/gm,
      );
      expect(lines).to.have.members([
        'parley_commands_total{type="ping",outcome="ok"} 2',
        'parley_commands_total{type="ping",outcome="FORBIDDEN"} 1',
        'parley_commands_total{type="ping",outcome="RATE_LIMITED"} 1',
        'parley_limited_total{limit="commands"} 1',
        'parley_limited_total{limit="heavy"} 1',
        '_seconds_count{type="ping"} 3',
      ]);
    }
  });
});

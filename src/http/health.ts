import { setTimeout as delay } from 'node:timers/promises';
import { Type } from 'typebox';
import type { Database } from '../database/database.ts';
import { ApiError } from '../protocol/errors.ts';
import { defineRoute } from './define.ts';

const Status = Type.Object({ status: Type.Literal('ok') });

export const live = defineRoute({
  method: 'GET',
  path: '/health/live',
  summary: 'Liveness: the process responds',
  success: { 200: { summary: 'OK', schema: Status } },
  errors: [],
  handle: async () => ({ status: 200, body: { status: 'ok' } }),
});

export const ready = defineRoute({
  method: 'GET',
  path: '/health/ready',
  summary:
    'Readiness: the server is not stopping, its queue has room, and the database responds and is writable',
  success: { 200: { summary: 'OK', schema: Status } },
  errors: ['UNAVAILABLE'],
  async handle(_, { db, writer, accepting }) {
    const reasons = [
      ...(accepting() ? [] : ['The server is stopping']),
      ...(writer.hasRoom ? [] : ['Too many messages wait to be written']),
      ...(await problemsOf(db)),
    ];
    if (reasons.length > 0) throw new ApiError('UNAVAILABLE', reasons.join('; '), 1);
    return { status: 200, body: { status: 'ok' } };
  },
});

/** Milliseconds after which the database counts as unresponsive. */
const TIMEOUT = 2_000;

async function problemsOf(db: Database): Promise<string[]> {
  const problems = db.query<{ readOnly: string }>('show transaction_read_only', []).then(
    ([row]) => (row && Object.values(row)[0] === 'on' ? ['The database is read-only'] : []),
    () => ['The database cannot be reached'],
  );
  const late = delay(TIMEOUT, ['The database does not answer'], { ref: false });
  return Promise.race([problems, late]);
}

export const metrics = defineRoute({
  method: 'GET',
  path: '/metrics',
  summary: 'Metrics of the server',
  success: {
    200: {
      summary: 'Metrics in the text format of Prometheus',
      schema: Type.String(),
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
    },
  },
  errors: [],
  handle: async (_, { metricsText }) => ({ status: 200, body: await metricsText() }),
});

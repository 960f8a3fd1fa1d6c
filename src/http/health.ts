import { Type } from 'typebox';
import { ApiError } from '../errors.ts';
import { defineRoute } from './define.ts';

const Status = Type.Object({ status: Type.Literal('ok') });

export const live = defineRoute({
  method: 'GET',
  path: '/health/live',
  summary: 'Whether the process answers',
  success: { 200: { summary: 'It does', schema: Status } },
  errors: [],
  handle: async () => ({ status: 200, body: { status: 'ok' } }),
});

export const ready = defineRoute({
  method: 'GET',
  path: '/health/ready',
  summary: 'Whether the server takes traffic: it is not stopping and the database answers',
  success: { 200: { summary: 'It does', schema: Status } },
  errors: ['UNAVAILABLE'],
  async handle(_, { db, accepting }) {
    if (!accepting()) throw new ApiError('UNAVAILABLE', 'The server is stopping');
    await db.sequelize.query('select 1').catch(() => {
      throw new ApiError('UNAVAILABLE', 'The database cannot be reached', 1);
    });
    return { status: 200, body: { status: 'ok' } };
  },
});

export const metrics = defineRoute({
  method: 'GET',
  path: '/metrics',
  summary: 'What the server measures of itself',
  success: {
    200: {
      summary: 'Prometheus text',
      schema: Type.String(),
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
    },
  },
  errors: [],
  handle: async (_, { metricsText }) => ({ status: 200, body: await metricsText() }),
});

import { Type } from 'typebox';
import { Empty } from '../protocol/schema/types.ts';
import { defineLocal } from './define.ts';

export const ping = defineLocal({
  type: 'ping',
  summary: 'Check the connection',
  description:
    'For clients that cannot see WebSocket pings, such as scripts in browsers: if no reply arrives, the connection is broken.',
  params: Type.Object({}),
  result: Empty,
  reads: true,
  repeatable: true,
  storesMessage: false,
  ordered: false,
  cost: 1,
  errors: [],
  async handle() {
    return {};
  },
});

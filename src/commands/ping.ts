import { Type } from 'typebox';
import { defineCommand } from './define.ts';

export const ping = defineCommand({
  type: 'ping',
  summary: 'Check the connection',
  description:
    'For clients that cannot see WebSocket pings, such as scripts in browsers: if no reply arrives, the connection is broken.',
  params: Type.Object({}),
  result: Type.Object({}),
  errors: [],
  isLocal: true,
  async handle() {
    return {};
  },
});

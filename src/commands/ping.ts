import { Type } from 'typebox';
import { defineCommand } from './define.ts';

export const ping = defineCommand({
  type: 'ping',
  summary: 'Hear from the server',
  description:
    'For clients that cannot see the pings of the WebSocket, such as scripts in browsers: without an answer the connection is dead.',
  params: Type.Object({}),
  result: Type.Object({}),
  errors: [],
  isLocal: true,
  async handle() {
    return {};
  },
});

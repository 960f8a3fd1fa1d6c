import { Type } from 'typebox';
import { messageOf, readMessage } from '../messages/read.ts';
import { Message } from '../protocol/schema/messages.ts';
import { IdOfMessage } from '../protocol/schema/types.ts';
import { defineRead } from './define.ts';

export const getMessage = defineRead({
  type: 'getMessage',
  summary: 'Read one message',
  params: Type.Object({ messageId: IdOfMessage }),
  result: Type.Object({ data: Message }),
  cost: 1,
  errors: ['NOT_FOUND'],
  async handle({ messageId }, { session, db }) {
    return { data: messageOf(await readMessage(db, session.userId, messageId)) };
  },
});

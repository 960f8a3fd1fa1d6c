import { Type } from 'typebox';
import { moveTo } from '../chats/movePositions.ts';
import { ChatAddress } from '../protocol/schema/chats.ts';
import { Empty, inChat, Seq } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

export const markDelivered = defineCommand({
  type: 'markDelivered',
  summary: 'Mark the messages of a chat as delivered up to a seq',
  description:
    'The position never decreases. Reading includes delivery. In a dialog the other person receives a push; for groups see getReceipts.',
  params: inChat({ seq: Seq }),
  result: Empty,
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 1,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  push: {
    summary: 'Messages were delivered to the other person of a dialog, or to another connection of this user',
    fields: Type.Object({ ...ChatAddress, seq: Seq }),
  },
  async handle({ seq, ...address }, context) {
    await moveTo(context, 'markDelivered', address, seq);
    return {};
  },
});

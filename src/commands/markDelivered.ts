import { Type } from 'typebox';
import { moveTo } from '../chats/receipts.ts';
import { ChatAddress } from '../protocol/schema/chats.ts';
import { inChat, Seq } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

export const markDelivered = defineCommand({
  type: 'markDelivered',
  summary: 'Tell that messages up to a seq have reached this device',
  description:
    'Only forwards. What is read is delivered, too. In a dialog the other person is told; in a group see getReceipts.',
  params: inChat({ seq: Seq }),
  result: Type.Object({}),
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  push: {
    summary: 'Somebody’s device has got messages, or another one of this user',
    fields: Type.Object({ ...ChatAddress, seq: Seq }),
  },
  async handle({ seq, ...address }, context) {
    await moveTo(context, 'markDelivered', address, seq);
    return {};
  },
});

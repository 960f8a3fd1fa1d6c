import { Type } from 'typebox';
import { changeMessageForAll } from '../messages/changeMessage.ts';
import { assertMayPin } from '../messages/mayPin.ts';
import { ApiError } from '../protocol/errors.ts';
import { ChangedMessage, MessageAddress } from '../protocol/schema/messages.ts';
import { IdOfMessage } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

/** Pinned messages of one chat. */
const MAX_PINS = 100;

export const pinMessage = defineCommand({
  type: 'pinMessage',
  summary: 'Pin a message for everybody in the chat',
  description:
    'Allowed for the owner and admins of a group, and for both people of a dialog. If the message is already pinned, nothing changes.',
  params: Type.Object({ messageId: IdOfMessage }),
  result: Type.Object(ChangedMessage),
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 1,
  managesGroup: true,
  errors: ['NOT_FOUND', 'FORBIDDEN', 'CONFLICT'],
  push: { summary: 'A user pinned a message', fields: Type.Object(MessageAddress) },
  async handle({ messageId }, context) {
    const { session, db } = context;
    const { changed } = await changeMessageForAll(
      context,
      'pinMessage',
      messageId,
      async ({ transaction, row }) => {
        await assertMayPin(db, session.userId, row, transaction);
        const pin = { chatId: row.chatId, seq: row.seq };
        if (row.pinned) return undefined;
        if ((await db.pins.count({ where: { chatId: row.chatId }, transaction })) >= MAX_PINS)
          throw new ApiError('CONFLICT', `A chat has at most ${MAX_PINS} pinned messages`);
        await db.pins.create({ ...pin, pinnedBy: session.userId }, { transaction });
        return { event: 'pin', part: 'pin' };
      },
    );
    return changed;
  },
});

import { Type } from 'typebox';
import { changeMessageForAll } from '../messages/changeMessage.ts';
import { assertMayPin } from '../messages/mayPin.ts';
import { ChangedMessage, MessageAddress } from '../protocol/schema/messages.ts';
import { IdOfMessage } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

export const unpinMessage = defineCommand({
  type: 'unpinMessage',
  summary: 'Unpin a message',
  description:
    'Allowed for the owner and admins of a group, and for both people of a dialog. If the message is not pinned, nothing changes.',
  params: Type.Object({ messageId: IdOfMessage }),
  result: Type.Object(ChangedMessage),
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 1,
  managesGroup: true,
  errors: ['NOT_FOUND', 'FORBIDDEN'],
  push: { summary: 'A user unpinned a message', fields: Type.Object(MessageAddress) },
  async handle({ messageId }, context) {
    const { session, db } = context;
    const { changed } = await changeMessageForAll(
      context,
      'unpinMessage',
      messageId,
      async ({ transaction, row }) => {
        await assertMayPin(db, session.userId, row, transaction);
        const pin = { chatId: row.chatId, seq: row.seq };
        const count = await db.pins.destroy({ where: pin, transaction });
        return count > 0 ? { event: 'pin', part: 'pin' } : undefined;
      },
    );
    return changed;
  },
});

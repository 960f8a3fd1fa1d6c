import { Type } from 'typebox';
import { changeMessage } from '../messages/changeMessage.ts';
import { assertMayPin } from '../messages/pins.ts';
import { ChangedMessage, MessageAddress } from '../protocol/schema/messages.ts';
import { Id } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

export const unpinMessage = defineCommand({
  type: 'unpinMessage',
  summary: 'Take a pinned message down',
  description:
    'In groups for the owner and admins, in dialogs for both. Taken down already, nothing changes.',
  params: Type.Object({ messageId: Id }),
  result: Type.Object(ChangedMessage),
  errors: ['NOT_FOUND', 'FORBIDDEN'],
  push: { summary: 'Somebody took a pinned message down', fields: Type.Object(MessageAddress) },
  async handle({ messageId }, context) {
    const { session, db } = context;
    const { changed } = await changeMessage(
      context,
      'unpinMessage',
      messageId,
      async ({ transaction, row }) => {
        await assertMayPin(db, session.userId, row, transaction);
        const pin = { chatId: row.chatId, seq: row.seq };
        const count = await db.pins.destroy({ where: pin, transaction });
        return count > 0 ? { part: 'pin' } : undefined;
      },
    );
    return changed;
  },
});

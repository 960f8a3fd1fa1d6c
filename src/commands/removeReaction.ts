import { Type } from 'typebox';
import { pushToChat } from '../chats/publish.ts';

import { changeMessage } from '../messages/changeMessage.ts';
import { Emoji, MessageAddress } from '../schema/messages.ts';
import { Id } from '../schema/types.ts';
import { emojiOf } from '../text/emoji.ts';
import { defineCommand } from './define.ts';

export const removeReaction = defineCommand({
  type: 'removeReaction',
  summary: 'Take one’s reaction back',
  description: 'Where there is none, nothing changes.',
  params: Type.Object({ messageId: Id, emoji: Emoji }),
  result: Type.Object({}),
  errors: ['NOT_FOUND', 'FORBIDDEN'],
  push: {
    summary: 'Somebody took a reaction back',
    fields: Type.Object({
      ...MessageAddress,
      emoji: Type.String(),
      count: Type.Integer({ description: 'How often it stands there now' }),
    }),
  },
  async handle({ messageId, ...params }, context) {
    const { session, db } = context;
    const emoji = emojiOf(params.emoji) ?? params.emoji;
    const {
      chat,
      row,
      result: count,
    } = await changeMessage(context, messageId, async ({ transaction, row }) => {
      const bind = [row.chatId, row.seq, session.userId, emoji];
      const [changed] = await db.select<{ count: number }>(remove, bind, transaction);
      return changed?.count;
    });
    if (count !== undefined)
      await pushToChat(context, chat, 'removeReaction', null, { messageId, seq: row.seq, emoji, count });
    return {};
  },
});

/** An emoji that nobody is left for goes, and an empty object becomes null. */
const remove = `
with removed as (
  delete from reactions where chat_id = $1 and seq = $2 and user_id = $3 and emoji = $4 returning emoji
)
update messages
set reactions = case
  when (reactions->emoji)::int > 1 then jsonb_set(reactions, array[emoji], to_jsonb((reactions->emoji)::int - 1))
  else nullif(reactions - emoji, '{}')
end
from removed
where chat_id = $1 and seq = $2
returning coalesce((reactions->emoji)::int, 0) as count
`;

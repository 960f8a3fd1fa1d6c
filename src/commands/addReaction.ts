import { Type } from 'typebox';
import { pushToChat } from '../chats/publish.ts';
import { ApiError } from '../errors.ts';
import { changeMessage } from '../messages/changeMessage.ts';
import { Emoji, MessageAddress } from '../schema/messages.ts';
import { Id } from '../schema/types.ts';
import { emojiOf } from '../text/emoji.ts';
import { defineCommand } from './define.ts';

/** Different emoji on one message. */
const MAX_EMOJI = 50;

export const addReaction = defineCommand({
  type: 'addReaction',
  summary: 'React to a message with an emoji',
  description: 'Once per user and emoji: the same again changes nothing.',
  params: Type.Object({ messageId: Id, emoji: Emoji }),
  result: Type.Object({}),
  errors: ['NOT_FOUND', 'FORBIDDEN', 'CONFLICT'],
  push: {
    summary: 'Somebody reacted to a message',
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
      const counts = row.counts ?? {};
      if (!(emoji in counts) && Object.keys(counts).length >= MAX_EMOJI)
        throw new ApiError('CONFLICT', `A message has at most ${MAX_EMOJI} different reactions`);
      const bind = [row.chatId, row.seq, session.userId, emoji];
      const [changed] = await db.select<{ count: number }>(add, bind, transaction);
      return changed?.count;
    });
    if (count !== undefined)
      await pushToChat(context, chat, 'addReaction', null, { messageId, seq: row.seq, emoji, count });
    return {};
  },
});

const add = `
with added as (
  insert into reactions (chat_id, seq, user_id, emoji) values ($1, $2, $3, $4)
  on conflict do nothing
  returning emoji
)
update messages
set reactions = jsonb_set(coalesce(reactions, '{}'), array[emoji], to_jsonb(coalesce((reactions->emoji)::int, 0) + 1))
from added
where chat_id = $1 and seq = $2
returning (reactions->emoji)::int as count
`;

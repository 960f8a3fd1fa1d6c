import { countChange, raisedColumns } from '../messages/changeMessage.ts';
import { ApiError } from '../protocol/errors.ts';
import { defineReaction } from './reactionCommand.ts';

/** Different emoji on one message. */
const MAX_EMOJI = 50;

const add = `
with added as (
  insert into reactions (chat_id, seq, user_id, emoji) values ($1, $2, $3, $4)
  on conflict do nothing
  returning emoji
)
update messages
set reactions = jsonb_set(coalesce(reactions, '{}'), array[emoji], to_jsonb(coalesce((reactions->emoji)::int, 0) + 1)),
  ${countChange}
from added
where chat_id = $1 and seq = $2
returning (reactions->emoji)::int as count, ${raisedColumns}
`;

export const addReaction = defineReaction({
  type: 'addReaction',
  summary: 'React to a message with an emoji',
  description: 'Each user can add an emoji once; adding it again changes nothing.',
  errors: ['CONFLICT'],
  pushSummary: 'A user reacted to a message',
  check({ counts }, emoji) {
    const known = Object.keys(counts ?? {});
    if (!known.includes(emoji) && known.length >= MAX_EMOJI)
      throw new ApiError('CONFLICT', `A message has at most ${MAX_EMOJI} different reactions`);
  },
  statement: add,
});

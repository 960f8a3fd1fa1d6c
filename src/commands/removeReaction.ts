import { countChange, raisedColumns } from '../messages/changeMessage.ts';
import { defineReaction } from './reactionCommand.ts';

/** An emoji that nobody is left for goes, and an empty object becomes null. */
const remove = `
with removed as (
  delete from reactions where chat_id = $1 and seq = $2 and user_id = $3 and emoji = $4 returning emoji
)
update messages
set reactions = case
  when (reactions->emoji)::int > 1 then jsonb_set(reactions, array[emoji], to_jsonb((reactions->emoji)::int - 1))
  else nullif(reactions - emoji, '{}')
end, ${countChange}
from removed
where chat_id = $1 and seq = $2
returning coalesce((reactions->emoji)::int, 0) as count, ${raisedColumns}
`;

export const removeReaction = defineReaction({
  type: 'removeReaction',
  summary: 'Remove a reaction of this user',
  description: 'If there is no such reaction, nothing changes.',
  pushSummary: 'A user removed a reaction',
  statement: remove,
});

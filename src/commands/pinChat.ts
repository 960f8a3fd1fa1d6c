import { Type } from 'typebox';
import { defineSetting } from './chatSetting.ts';

export const pinChat = defineSetting({
  type: 'pinChat',
  summary: 'Pin a chat to the top of one’s list, or let it go',
  description: 'For clients to show: listLastMessage says it of each chat and keeps its order.',
  params: Type.Object({ pinned: Type.Boolean() }),
  bind: ({ pinned }) => [pinned],
  change: `
update chat_members set pinned_at = case when $3 then clock_timestamp() end, state_xid = pg_current_xact_id()
where chat_id = $1 and user_id = $2 and (pinned_at is not null) <> $3
returning chat_id
`,
});

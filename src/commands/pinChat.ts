import { Type } from 'typebox';
import { notePrivateChange } from '../chats/memberState.sql.ts';
import { defineSetting } from './chatSetting.ts';

export const pinChat = defineSetting({
  type: 'pinChat',
  summary: 'Pin a chat to the top of the list of this user, or unpin it',
  description:
    'Clients decide how to show it: listLastMessage returns the setting with each chat, and its order stays the same.',
  params: Type.Object({ pinned: Type.Boolean({ description: 'True: pin it; false: unpin it' }) }),
  bind: ({ pinned }) => [pinned],
  change: `
update chat_members
set pinned_at = case when $3 then clock_timestamp() end,${notePrivateChange('chat_members')}
where chat_id = $1 and user_id = $2 and (pinned_at is not null) <> $3
returning chat_id
`,
});

import { Type } from 'typebox';
import { notePrivateChange } from '../chats/memberState.sql.ts';
import { defineSetting } from './chatSetting.ts';

export const archiveChat = defineSetting({
  type: 'archiveChat',
  summary: 'Archive or unarchive a chat',
  description:
    'Clients decide how to show it: listLastMessage returns the setting with each chat, and its order stays the same.',
  params: Type.Object({ archived: Type.Boolean({ description: 'True: archive it; false: unarchive it' }) }),
  bind: ({ archived }) => [archived],
  change: `
update chat_members
set archived_at = case when $3 then clock_timestamp() end,${notePrivateChange('chat_members')}
where chat_id = $1 and user_id = $2 and (archived_at is not null) <> $3
returning chat_id
`,
});

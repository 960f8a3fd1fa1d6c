import { Type } from 'typebox';
import { notePrivateChange } from '../chats/memberState.sql.ts';
import { defineSetting } from './chatSetting.ts';

export const markUnread = defineSetting({
  type: 'markUnread',
  summary: 'Mark a chat as unread, as a reminder',
  description:
    'The mark stays until markRead, or until this user sends a message to the chat. The read position does not change.',
  params: Type.Object({}),
  bind: () => [],
  change: `
update chat_members
set marked_unread = true,${notePrivateChange('chat_members')}
where chat_id = $1 and user_id = $2 and not marked_unread
returning chat_id
`,
});

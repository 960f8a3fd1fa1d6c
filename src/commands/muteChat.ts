import { Type } from 'typebox';
import { notePrivateChange } from '../chats/memberState.sql.ts';
import { described, Moment } from '../protocol/schema/types.ts';
import { defineSetting } from './chatSetting.ts';

export const muteChat = defineSetting({
  type: 'muteChat',
  summary: 'Mute a chat, for good or until a given time, or unmute it',
  description:
    'The server only stores the setting and returns it in listLastMessage; clients suppress their notifications.',
  params: Type.Object({
    muted: Type.Boolean({ description: 'True: mute it; false: unmute it' }),
    until: Type.Optional(described(Moment, 'Default: until it is unmuted')),
  }),
  bind: ({ muted, until }) => [muted, until === undefined ? null : new Date(until)],
  change: `
update chat_members
set muted_until = case when $3 then coalesce($4::timestamptz, 'infinity') end,${notePrivateChange('chat_members')}
where chat_id = $1 and user_id = $2
  and muted_until is distinct from case when $3 then coalesce($4::timestamptz, 'infinity') end
returning chat_id
`,
});

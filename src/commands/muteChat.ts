import { Type } from 'typebox';
import { Moment } from '../protocol/schema/types.ts';
import { defineSetting } from './chatSetting.ts';

export const muteChat = defineSetting({
  type: 'muteChat',
  summary: 'Mute a chat, for good or until some time, or unmute it',
  description:
    'It changes nothing on the server but what listLastMessage says: clients keep still about muted chats.',
  params: Type.Object({
    muted: Type.Boolean(),
    until: Type.Optional(Type.String({ ...Moment, description: 'Left out: until it is unmuted' })),
  }),
  bind: ({ muted, until }) => [muted, until === undefined ? null : new Date(until)],
  change: `
update chat_members set muted_until = case when $3 then coalesce($4::timestamptz, 'infinity') end, state_xid = pg_current_xact_id()
where chat_id = $1 and user_id = $2
  and muted_until is distinct from case when $3 then coalesce($4::timestamptz, 'infinity') end
returning chat_id
`,
});

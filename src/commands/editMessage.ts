import { isDeepStrictEqual } from 'node:util';
import { Type } from 'typebox';
import type { UserId } from '../ids.ts';
import {
  assertWrittenByUser,
  changeMessageForAll,
  countChange,
  type Raised,
  raisedColumns,
} from '../messages/changeMessage.ts';
import { reindex } from '../messages/indexMessages.ts';
import { namesIn } from '../messages/mentions.ts';
import { ApiError } from '../protocol/errors.ts';
import { ChangedMessage, EditedAt, Mentions, MessageAddress } from '../protocol/schema/messages.ts';
import { Content, Custom, IdOfMessage, Nullable, Time } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

export const editMessage = defineCommand({
  type: 'editMessage',
  summary: 'Edit a message of this user',
  description:
    'Earlier versions are kept: see listEdits. Mentions are determined again. The same content changes nothing.',
  params: Type.Object({ messageId: IdOfMessage, content: Content, custom: Type.Optional(Nullable(Custom)) }),
  result: Type.Object({
    ...ChangedMessage,
    editedAt: EditedAt,
    custom: Nullable(Custom),
    mentions: Mentions,
  }),
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 1,
  errors: ['NOT_FOUND', 'FORBIDDEN'],
  push: {
    summary: 'A user edited a message; message is the new content',
    fields: Type.Object({
      ...MessageAddress,
      editedAt: Time,
      custom: Nullable(Custom),
      mentions: Mentions,
    }),
  },
  async handle({ messageId, content, custom }, context) {
    const { session, db } = context;
    const { row, change, changed } = await changeMessageForAll(
      context,
      'editMessage',
      messageId,
      async (message) => {
        const { transaction, row } = message;
        assertWrittenByUser(row);
        if (row.senderId !== session.userId)
          throw new ApiError('FORBIDDEN', 'Only the author may edit a message');
        const newCustom = custom === undefined ? row.custom : custom;
        if (row.content === content && isDeepStrictEqual(row.custom, newCustom)) return undefined;
        await db.execute(keepVersion, [messageId], transaction);
        const [edited] = await db.execute<Edited>(
          edit,
          [
            messageId,
            content,
            newCustom && JSON.stringify(newCustom),
            JSON.stringify(namesIn(content)),
            session.userId,
          ],
          transaction,
        );
        if (!edited) throw new Error('a locked message was not found');
        await reindex(db, messageId, content, transaction);
        const editedAt = edited.editedAt.toISOString();
        return {
          event: 'edit',
          part: 'content',
          content,
          fields: { editedAt, custom: newCustom, mentions: edited.mentions ?? [] },
          raised: { version: edited.version, head: edited.head },
        };
      },
    );
    const fields = change?.fields ?? {
      editedAt: row.editedAt?.toISOString() ?? null,
      custom: row.custom,
      mentions: row.mentions ?? [],
    };
    return { ...changed, ...fields };
  },
});

interface Edited extends Raised {
  readonly editedAt: Date;
  readonly mentions: UserId[] | null;
}

const keepVersion = `
insert into message_edits (message_id, version, content, created_at)
select id, (select coalesce(max(version), 0) + 1 from message_edits where message_id = $1), content, coalesce(edited_at, created_at)
from messages where id = $1
`;

/** $1 message, $2 content, $3 custom, $4 names in the content, $5 author. */
const edit = `
with found as (
  select array_agg(distinct named.user_id) as ids
  from jsonb_array_elements($4::jsonb) names
  cross join lateral (
    select member.user_id
    from jsonb_array_elements_text(names) with ordinality as name (folded, ord)
    join users on users.username_folded = name.folded
    join chat_members member on member.user_id = users.id
    where member.chat_id = (select chat_id from messages where id = $1)
    order by name.ord limit 1
  ) named
  where named.user_id <> $5
), changed as (
  update messages
  set content = $2, custom = $3::jsonb, mentions = found.ids, edited_at = clock_timestamp(), ${countChange}
  from found, (select mentions as named_before from messages where id = $1) before
  where messages.id = $1
  returning messages.chat_id, messages.seq, messages.mentions, messages.edited_at, before.named_before,
    ${raisedColumns}
), forgotten as (
  delete from mentions using changed
  where mentions.user_id = any (changed.named_before) and mentions.user_id <> all (coalesce(changed.mentions, '{}'))
    and mentions.chat_id = changed.chat_id and mentions.seq = changed.seq
), named as (
  insert into mentions (user_id, chat_id, seq) select unnest(mentions), chat_id, seq from changed
  on conflict do nothing
)
select edited_at as "editedAt", mentions, version, head from changed
`;

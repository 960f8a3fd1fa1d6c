import type { Static } from 'typebox';
import type { Queries } from '../database/database.ts';
import { prepared } from '../database/statements.ts';
import type { ChatId, MessageId, UserId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import type { UserReference as Schema } from '../protocol/schema/service.ts';

/** A user by id, or by the identifier at the host. */
export type UserReference = Static<typeof Schema>;

/** The owner of a group, or of the group that has a message. */
export interface OwnerReference {
  readonly groupId?: ChatId;
  readonly messageId?: MessageId;
}

/** A user that was found. */
export interface ReferencedUser {
  readonly id: UserId;
  readonly isDisabled: boolean;
  readonly isDeleted: boolean;
}

/** Reads users, in the order of the references; undefined for those that do not exist. */
export async function findUsers(
  db: Queries,
  references: readonly (UserReference | OwnerReference)[],
): Promise<(ReferencedUser | undefined)[]> {
  const input = references.map((reference, position) => ({ position, ...reference }));
  const rows = await db.query<ReferencedUser & { position: number }>(referencedUsers, [
    JSON.stringify(input),
  ]);
  const byPosition = new Map(rows.map((row) => [row.position, row]));
  return references.map((_, position) => byPosition.get(position));
}

/** Returns the ids of users, each once; refuses with `NOT_FOUND` if one does not exist or, unless allowed, is deleted. */
export async function existingUsers(
  db: Queries,
  references: readonly UserReference[],
  { allowsDeleted = false } = {},
): Promise<UserId[]> {
  const found = await findUsers(db, references);
  const ids = found.map((user, index) => {
    if (!user || (user.isDeleted && !allowsDeleted)) throw noUser(references[index] ?? {});
    return user.id;
  });
  return [...new Set(ids)];
}

export const noUser = ({ userId, externalId }: UserReference): ApiError =>
  new ApiError('NOT_FOUND', `There is no user ${userId ?? externalId}`);

export const isDisabled = (): ApiError => new ApiError('FORBIDDEN', 'The account of this user is disabled');

/** Uses the primary keys and the indexes users_external_id, messages_id and chat_members_ranked. */
const referencedUsers = prepared(
  'referenced users',
  `
select reference.position, person.id, person.disabled_at is not null as "isDisabled",
  person.deleted_at is not null as "isDeleted"
from jsonb_to_recordset($1::jsonb) as reference (
  position integer, "userId" bigint, "externalId" text, "groupId" bigint, "messageId" bigint
)
cross join lateral (
  (select id, disabled_at, deleted_at from users where id = reference."userId" limit 1)
  union all
  (select id, disabled_at, deleted_at from users where external_id = reference."externalId" limit 1)
  union all
  (
    select id, disabled_at, deleted_at from users
    where id = (
      select user_id from chat_members
      where role <> 'member' and role = 'owner' and chat_id = coalesce(
        reference."groupId", (select chat_id from messages where id = reference."messageId" limit 1)
      )
      limit 1
    )
    limit 1
  )
) person
`,
);

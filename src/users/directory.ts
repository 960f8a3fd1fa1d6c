import { Op } from 'sequelize';
import type { Directory } from '../config.ts';
import type { Queries } from '../database/database.ts';
import { prepared } from '../database/statements.ts';
import type { UserId } from '../ids.ts';
import { fold } from '../text/fold.ts';

/** The users that a user may find: those that meet both conditions. */
export interface Findable {
  /** Only these. Undefined: any, or too many to begin a search with them. */
  readonly few: readonly UserId[] | undefined;
  /** Only the contacts of this user, see {@link isContact}. Null: not only those. */
  readonly contactOf: UserId | null;
}

/**
 * Returns the users that a user may find in a directory. With the directory `off`, it is the one whose username is
 * `query`, if any: case and compatibility forms are ignored.
 */
export async function findableBy(
  db: Queries,
  directory: Directory,
  userId: UserId,
  query?: string,
): Promise<Findable> {
  if (directory === 'all') return { few: undefined, contactOf: null };
  if (directory === 'contacts') return { few: await fewContacts(db, userId), contactOf: userId };
  return { few: query === undefined ? [] : await usersNamed(db, query), contactOf: null };
}

async function usersNamed(db: Queries, name: string): Promise<UserId[]> {
  const where = { [Op.or]: [{ username: name.normalize('NFC') }, { usernameFolded: fold(name) }] };
  const users = await db.users.findAll({ where, attributes: ['id'] });
  return users.map(({ id }) => id);
}

/** Maximum memberships that are read to find all contacts of a user. */
const FEW = 5_000;

/** Returns the contacts of a user; undefined if they have many memberships. */
async function fewContacts(db: Queries, userId: UserId): Promise<UserId[] | undefined> {
  const rows = await db.query<{ id: UserId; isAll: boolean }>(contacts, [userId, FEW]);
  return rows.every(({ isAll }) => isAll) ? [userId, ...rows.map(({ id }) => id)] : undefined;
}

/** Returns SQL for the ids of the chats of a user, in which nobody is any more once they are closed. */
const chatsOf = (user: string) => `
select id from chats where closed_at is null and id = any (array(select chat_id from chat_members where user_id = ${user}))
`;

/**
 * Returns an SQL condition: a user is the `viewer`, or shares a chat with them. Uses the index chat_members_by_user, and
 * reads the chats of the viewer once.
 */
export const isContact = (user: string, viewer: string): string => `(
  ${user} = ${viewer} or (
    select true from chat_members where user_id = ${user} and chat_id = any (array(${chatsOf(viewer)})) limit 1
  ) is not null
)`;

/** The contacts of the user $1 in the first $2 memberships (key of chat_members), and whether there are no others. */
const contacts = prepared(
  'users in the same chats',
  `
select user_id as id, sum(count(*)) over () < $2 as "isAll"
from (select user_id from chat_members where chat_id = any (array(${chatsOf('$1')})) limit $2) member
group by user_id
`,
);

import { Op } from 'sequelize';
import { deleteAccount, leaveGroups } from '../accounts/deleteAccount.ts';
import { disableAccount, revokeTokens } from '../accounts/revocation.ts';
import type { Database } from '../database/database.ts';
import type { User } from '../database/models/User.ts';
import type { MessageId } from '../ids.ts';
import { recordMessageEvents } from '../messages/messageEvents.ts';
import { leaveTombstones, type Tombstone } from '../messages/tombstone.ts';
import { ApiError } from '../protocol/errors.ts';
import { fold, foldForSearch } from '../text/fold.ts';
import { type Action, limitOf, literally, UsageError } from './define.ts';
import { exportOf } from './export.ts';
import { inSpans, throughWritten, writtenInSpan } from './writtenMessages.ts';

export const listUsers: Action = async (_, values, { db }) => {
  const search = String(values.search ?? '');
  const begins = (text: string) => ({ [Op.startsWith]: literally(text) });
  const users = await db.users.findAll({
    where: {
      ...(values.search !== undefined && {
        [Op.or]: [{ usernameSearch: begins(foldForSearch(search)) }, { emailFolded: begins(fold(search)) }],
      }),
      ...(values.disabled && { disabledAt: { [Op.ne]: null } }),
    },
    order: [['id', 'desc']],
    limit: limitOf(values),
  });
  return users.map(shown);
};

export const listUserConflicts: Action = (_, __, { db }) => db.query(conflicts, []);

export const showUser: Action = async ([name = ''], _, { db }) => {
  const user = await find(db, name);
  return { ...shown(user), sessions: await db.query(openSessions, [user.id]) };
};

export const disableUser: Action = async ([name = ''], _, services) => {
  const user = await find(services.db, name);
  await disableAccount(user.id, services);
  return shown(await user.reload());
};

export const enableUser: Action = async ([name = ''], _, { db }) => {
  const user = await find(db, name);
  return shown(await user.update({ disabledAt: null }));
};

export const endSessions: Action = async ([name = ''], _, services) => {
  const user = await find(services.db, name);
  await revokeTokens(user.id, services);
  return shown(user);
};

export const deleteUser: Action = async ([name = ''], _, services) => {
  const user = await find(services.db, name);
  await deleteAccount(user.id, services);
  await leaveGroups(user.id, services);
  return { deleted: user.id };
};

export const exportUser: Action = async ([name = ''], _, { db }) => exportOf(db, await find(db, name, true));

export const eraseUser: Action = async ([name = ''], _, services) => {
  const { db } = services;
  const user = await find(db, name, true);
  if (!user.deletedAt) {
    await deleteAccount(user.id, services);
    await leaveGroups(user.id, services);
  }
  const messages = await emptyMessages(db, user);
  await services.bus.written();
  for (const statement of personalData) await db.execute(statement, [user.id]);
  return { erased: user.id, messages };
};

/** Returns a user by id, username, email or identifier at the host, and with `includeDeleted` a deleted user by id. */
export async function find(db: Database, name: string, includeDeleted = false): Promise<User> {
  const isId = /^[1-9]\d{0,14}$/.test(name);
  const [composed, folded] = [name.normalize('NFC'), fold(name)];
  const found = await db.users.findAll({
    where: {
      [Op.or]: [
        ...[{ username: composed }, { email: composed }, { usernameFolded: folded }, { emailFolded: folded }],
        { externalId: name },
        ...(isId ? [{ id: Number(name) }] : []),
      ],
      ...(!includeDeleted && { deletedAt: null }),
    },
  });
  const exact = found.filter(
    ({ id, username, email, externalId }) =>
      externalId === name || [String(id), username, email].includes(composed),
  );
  const [user, other] = exact.length > 0 ? exact : found;
  if (!user) throw new ApiError('NOT_FOUND', `There is no user ${name}`);
  if (other) throw new UsageError(`"${name}" is the id of one user and the name of another; use an email`);
  return user;
}

export function shown({
  id,
  email,
  username,
  externalId,
  displayName,
  isBot,
  createdAt,
  lastSeenAt,
  disabledAt,
  deletedAt,
}: User) {
  return {
    id,
    email,
    username,
    externalId,
    displayName,
    isBot,
    createdAt,
    lastSeenAt,
    disabledAt,
    deletedAt,
  };
}

/** Messages emptied per transaction. */
const BATCH = 1_000;

/**
 * Empties all messages of a user and their copies in reports; returns the number of messages that were not deleted
 * before.
 */
async function emptyMessages(db: Database, { id }: User): Promise<number> {
  let count = 0;
  for await (const messages of throughWritten<Written>(db, id, messagesOf))
    for (let start = 0; start < messages.length; start += BATCH) {
      const batch = messages.slice(start, start + BATCH);
      const full = batch.filter(({ isDeleted }) => !isDeleted).map((message) => message.id);
      await db.transaction(async (transaction) => {
        const tombstones = await leaveTombstones(db, full, transaction);
        await recordMessageEvents(db, tombstones.map(deletionEvent), transaction);
        await db.execute(emptyReports, [JSON.stringify(batch.map((message) => message.id))], transaction);
      });
      count += full.length;
    }
  return count;
}

const deletionEvent = ({ messageId, version }: Tombstone) => ({
  ...{ type: 'deletion' as const, messageId, userId: null },
  data: { command: 'deleteMessage', version },
});

interface Written {
  readonly id: MessageId;
  readonly isDeleted: boolean;
}

const messagesOf = `
select id, deleted_at is not null as "isDeleted"
from ${inSpans} cross join lateral ${writtenInSpan} message
`;

/** Empties the reports of the messages $1; uses the index on (message_id, reporter_id). */
const emptyReports = `
update reports set content = ''
where message_id = any (array(select jsonb_array_elements_text($1::jsonb)::bigint)) and content <> ''
`;

const conflicts = `
select users.id, users.username, users.email, other.id as "otherId", other.username as "otherUsername",
  other.email as "otherEmail"
from users left join users other on other.id <> users.id and (
  other.username_folded = split_part(users.username_folded, chr(1), 1)
  or other.email_folded = split_part(users.email_folded, chr(1), 1)
)
where strpos(users.username_folded, chr(1)) > 0 or strpos(users.email_folded, chr(1)) > 0
order by users.id, other.id
`;

const openSessions = `
select id, device, address, connected_at as "connectedAt" from sessions where user_id = $1 and ended_at is null
order by id
`;

/** Statements that delete the personal data of user $1 apart from the account and its messages. */
export const personalData = [
  'delete from sessions where user_id = $1',
  'delete from blocks where user_id = $1 or blocked_id = $1',
  'delete from reports where reporter_id = $1',
  'update users set last_seen_at = null, others_ended_at = null, kept_token_id = null, external_id = null, host_claims = null where id = $1',
];

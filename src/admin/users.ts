import { randomBytes } from 'node:crypto';
import { Op, type Transaction } from 'sequelize';
import { deleteAccount, leaveGroups } from '../accounts/deleteAccount.ts';
import { isCommonPassword } from '../auth/commonPasswords.ts';
import { reconcileEverywhere } from '../bus/outbox.ts';
import { userTopic } from '../bus/topics.ts';
import { databaseNow } from '../database/clock.ts';
import type { Database } from '../database/database.ts';
import type { User } from '../database/models/User.ts';
import type { MessageId } from '../ids.ts';
import { leaveTombstones } from '../messages/tombstone.ts';
import { ApiError } from '../protocol/errors.ts';
import { Password } from '../protocol/schema/accounts.ts';
import { compileValidator } from '../protocol/validator.ts';
import { fold, foldForSearch } from '../text/fold.ts';
import { type AdminCommand, type AdminServices, limitOf, literally, UsageError } from './define.ts';
import { exportOf } from './export.ts';
import { inSpans, throughWritten, writtenInSpan } from './writtenMessages.ts';

const USER_ARGUMENT = ['user'];

export const userCommands: Readonly<Record<string, AdminCommand>> = {
  'user list': {
    summary: 'list the newest accounts, all or those whose username or email begins with --search',
    takes: [],
    options: { search: { type: 'string' }, disabled: { type: 'boolean' }, limit: { type: 'string' } },
    async run(_, values, { db }) {
      const search = String(values.search ?? '');
      const begins = (text: string) => ({ [Op.startsWith]: literally(text) });
      const users = await db.users.findAll({
        where: {
          ...(values.search !== undefined && {
            [Op.or]: [
              { usernameSearch: begins(foldForSearch(search)) },
              { emailFolded: begins(fold(search)) },
            ],
          }),
          ...(values.disabled && { disabledAt: { [Op.ne]: null } }),
        },
        order: [['id', 'desc']],
        limit: limitOf(values),
      });
      return users.map(shown);
    },
  },
  'user conflicts': {
    summary:
      'list older accounts whose username or email differs from that of another account only by case or invisible characters',
    takes: [],
    options: {},
    run: (_, __, { db }) => db.query(conflicts, []),
  },
  'user show': {
    summary: 'show an account and its open sessions',
    takes: USER_ARGUMENT,
    options: {},
    async run([name = ''], _, { db }) {
      const user = await find(db, name);
      return { ...shown(user), sessions: await db.query(openSessions, [user.id]) };
    },
  },
  'user disable': {
    summary: 'disable an account: close all its connections and refuse its logins',
    takes: USER_ARGUMENT,
    options: {},
    async run([name = ''], _, services) {
      const user = await find(services.db, name);
      await endAll(user, services, { disabledAt: user.disabledAt ?? databaseNow });
      return shown(user);
    },
  },
  'user enable': {
    summary: 'enable a disabled account',
    takes: USER_ARGUMENT,
    options: {},
    async run([name = ''], _, { db }) {
      const user = await find(db, name);
      return shown(await user.update({ disabledAt: null }));
    },
  },
  'user end-sessions': {
    summary: 'close all connections of an account and revoke all its tokens',
    takes: USER_ARGUMENT,
    options: {},
    async run([name = ''], _, services) {
      const user = await find(services.db, name);
      await endAll(user, services, {});
      return shown(user);
    },
  },
  'user reset-password': {
    summary:
      'set a new password and end all sessions; without --password, generate a random one and print it',
    takes: USER_ARGUMENT,
    options: { password: { type: 'string' } },
    async run([name = ''], { password: chosen }, services) {
      const password = chosen === undefined ? randomBytes(12).toString('base64url') : String(chosen);
      const { password: checked } = passwordOption({ password }) as { password: string };
      if (isCommonPassword(checked)) throw new UsageError('--password is one of the most common ones');
      const user = await find(services.db, name);
      await endAll(user, services, { passwordHash: await services.passwords.hash(checked, '') });
      return { ...shown(user), ...(chosen === undefined && { password }) };
    },
  },
  'user delete': {
    summary: 'delete an account, as its owner can: its messages remain under the name "Deleted user"',
    takes: USER_ARGUMENT,
    options: {},
    isFinal: true,
    async run([name = ''], _, services) {
      const user = await find(services.db, name);
      await deleteAccount(user.id, services);
      await leaveGroups(user.id, services);
      return { deleted: user.id };
    },
  },
  'user export': {
    summary: 'print all stored data of a person as JSON',
    takes: USER_ARGUMENT,
    options: {},
    run: async ([name = ''], _, { db }) => exportOf(db, await find(db, name, true)),
  },
  'user erase': {
    summary: 'delete an account, empty all its messages, and delete all other stored data of the person',
    takes: USER_ARGUMENT,
    options: {},
    isFinal: true,
    async run([name = ''], _, services) {
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
    },
  },
};

const passwordOption = compileValidator(
  { type: 'object', properties: { password: Password }, required: ['password'] },
  'options',
);

/** Returns a user by id, username or email, and with `includeDeleted` a deleted user by id. */
async function find(db: Database, name: string, includeDeleted = false): Promise<User> {
  const isId = /^[1-9]\d{0,14}$/.test(name);
  const [composed, folded] = [name.normalize('NFC'), fold(name)];
  const found = await db.users.findAll({
    where: {
      [Op.or]: [
        ...[{ username: composed }, { email: composed }, { usernameFolded: folded }, { emailFolded: folded }],
        ...(isId ? [{ id: Number(name) }] : []),
      ],
      ...(!includeDeleted && { deletedAt: null }),
    },
  });
  const exact = found.filter(({ id, username, email }) => [String(id), username, email].includes(composed));
  const [user, other] = exact.length > 0 ? exact : found;
  if (!user) throw new ApiError('NOT_FOUND', `There is no user ${name}`);
  if (other) throw new UsageError(`"${name}" is the id of one user and the name of another; use an email`);
  return user;
}

function shown({ id, email, username, displayName, createdAt, lastSeenAt, disabledAt, deletedAt }: User) {
  return { id, email, username, displayName, createdAt, lastSeenAt, disabledAt, deletedAt };
}

/** Invalidates all tokens and closes all connections of a user, in one transaction with a change of the account. */
async function endAll(user: User, { db, bus }: AdminServices, changes: AccountChanges): Promise<void> {
  const end = async (transaction: Transaction) => {
    const [ended] = await db.execute<{ tokenVersion: number }>(endTokens, [user.id], transaction);
    if (!ended) throw new ApiError('NOT_FOUND', `There is no user ${user.id}`);
    await db.users.update(changes, { where: { id: user.id }, transaction });
    await user.reload({ transaction });
    await reconcileEverywhere(db, user.id, transaction);
    return ended;
  };
  await db.transaction(end, ({ tokenVersion }) =>
    bus.publish(userTopic(user.id), { signal: { kind: 'revoked', tokenVersion } }),
  );
}

interface AccountChanges {
  readonly disabledAt?: Date | typeof databaseNow;
  readonly passwordHash?: string;
}

/** Increments the stored value, because a concurrent change may have increased it since the user was read. */
const endTokens = `
update users set token_version = token_version + 1 where id = $1 and deleted_at is null
returning token_version as "tokenVersion"
`;

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
        await leaveTombstones(db, full, transaction);
        await db.execute(emptyReports, [JSON.stringify(batch.map((message) => message.id))], transaction);
      });
      count += full.length;
    }
  return count;
}

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
  'update users set last_seen_at = null, others_ended_at = null, kept_token_id = null where id = $1',
];

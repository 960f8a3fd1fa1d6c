import type { Logger } from 'pino';
import type { Transaction } from 'sequelize';
import type { ChatId, UserId } from '../ids.ts';
import { ambiguous, foldedGroup, foldedUser } from '../text/foldedColumns.ts';
import type { Database } from './database.ts';
import { isUnavailable, violatedConstraint } from './failures.ts';

/*
 * Fills the folded columns of names that were written without them: before this version, by older servers that still
 * run, and by SQL. It also updates ambiguous names when the other row with the same name has been renamed. Only the
 * server can fold names; the database finds the rows by partial indexes.
 */

/** Rows per transaction, which takes some tens of milliseconds. */
const CHUNK = 500;
/** Milliseconds between two runs. */
const INTERVAL = 2_000;
/** Maximum names of a kind in a log line. */
const MAX_SHOWN = 20;
/** An arbitrary advisory lock: one node fills at a time, so that the first of two rows with the same name keeps it. */
const LOCK = 7_275_392;

/**
 * Fills all rows without folded columns in chunks, each in a transaction of its own. Calls `progress` after each chunk
 * with the number of rows of its kind so far. Resolves to the number of all rows.
 */
export async function fillFoldedNames(db: Database, progress: Progress = () => {}): Promise<number> {
  const [some] = await byIndex(db, (transaction) =>
    db.query<{ rows: boolean }>(anyUnfolded, [], transaction),
  );
  if (!some?.rows) return 0;
  return (await fillAll(db, fillUsers, progress)) + (await fillAll(db, fillGroups, progress));
}

/** Logs the accounts and groups whose folded name another one has as well, if there are any. */
export async function warnOfAmbiguousNames(db: Database, log: Logger): Promise<void> {
  const [users = [], groups = []] = await byIndex(db, async (transaction) => [
    await db.query(ambiguousUsers, [MAX_SHOWN], transaction),
    await db.query(ambiguousGroups, [MAX_SHOWN], transaction),
  ]);
  if (users.length + groups.length > 0)
    log.warn(
      { users, groups },
      'ambiguous names, which differ only by case or invisible characters: see "user conflicts" and "group conflicts" of npm run admin',
    );
}

/** Fills new rows without folded columns until it is closed. */
export function watchFoldedNames(db: Database, log: Logger): { close(): Promise<void> } {
  let running: Promise<void> | undefined;
  const run = async () => {
    try {
      if ((await fillFoldedNames(db)) > 0) await warnOfAmbiguousNames(db, log);
    } catch (error) {
      if (!isUnavailable(error)) log.error({ err: error }, 'failed to fold names');
    }
  };
  const timer = setInterval(() => {
    running ??= run().finally(() => {
      running = undefined;
    });
  }, INTERVAL).unref();
  return {
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}

type Progress = (rows: number) => void;

/** Fills rows with ids above `after`; resolves to their number and the last id. */
type Fill = (db: Database, transaction: Transaction, after: number) => Promise<Filled>;

interface Filled {
  readonly count: number;
  readonly last: number;
}

async function fillAll(db: Database, fill: Fill, progress: Progress): Promise<number> {
  for (let [count, after] = [0, 0]; ; ) {
    const filled = await underLock(db, fill, after);
    count += filled.count;
    progress(count);
    after = filled.last; // the index still contains entries of filled rows
    if (filled.count < CHUNK) return count;
  }
}

/** Fills a chunk under the lock. Repeats it if a name was taken in between; then it is found as taken. */
async function underLock(db: Database, fill: Fill, after: number): Promise<Filled> {
  for (;;) {
    try {
      return await byIndex(db, async (transaction) => {
        await db.query('select pg_advisory_xact_lock($1)', [LOCK], transaction);
        return fill(db, transaction, after);
      });
    } catch (error) {
      if (violatedConstraint(error) === undefined) throw error;
    }
  }
}

/** Runs statements in a transaction that uses the partial indexes regardless of statistics. */
function byIndex<T>(db: Database, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return db.transaction(async (transaction) => {
    await db.query(onlyByIndex, [], transaction);
    return work(transaction);
  });
}

const onlyByIndex = `
select set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)
`;

interface UserRow {
  readonly id: UserId;
  readonly email: string | null;
  readonly username: string | null;
  readonly displayName: string | null;
  /** Not null if only the display name is missing. */
  readonly usernameFolded: string | null;
}

async function fillUsers(db: Database, transaction: Transaction, after: number): Promise<Filled> {
  await db.execute(releaseUsers, [], transaction);
  const rows = await db.query<UserRow>(unfoldedUsers, [CHUNK, after], transaction);
  const folded = rows.map(({ usernameFolded, ...row }) => ({
    id: row.id,
    ...foldedUser(usernameFolded === null ? row : { displayName: row.displayName }),
  }));
  const names = folded.flatMap(({ usernameFolded }) => usernameFolded ?? []);
  const emails = folded.flatMap(({ emailFolded }) => emailFolded ?? []);
  const taken = await db.query<{ username: string | null; email: string | null }>(
    takenByUsers,
    [JSON.stringify(names), JSON.stringify(emails)],
    transaction,
  );
  const takeName = createTaking(taken.map(({ username }) => username));
  const takeEmail = createTaking(taken.map(({ email }) => email));
  const columns = folded.map(({ id, usernameFolded, emailFolded, ...rest }) => ({
    id,
    usernameFolded: takeName(usernameFolded, id),
    emailFolded: takeEmail(emailFolded, id),
    ...rest,
  }));
  await db.execute(writeUsers, [JSON.stringify(columns)], transaction);
  return filledBy(rows, after);
}

async function fillGroups(db: Database, transaction: Transaction, after: number): Promise<Filled> {
  await db.execute(releaseGroups, [], transaction);
  const rows = await db.query<{ id: ChatId; name: string; isPublic: boolean }>(
    unfoldedGroups,
    [CHUNK, after],
    transaction,
  );
  const folded = rows.map(({ id, name, isPublic }) => ({ id, isPublic, ...foldedGroup(name) }));
  const names = folded.filter(({ isPublic }) => isPublic).map(({ nameFolded }) => nameFolded);
  const taken = await db.query<{ name: string }>(takenByGroups, [JSON.stringify(names)], transaction);
  const take = createTaking(taken.map(({ name }) => name));
  const columns = folded.map(({ id, isPublic, nameFolded, nameSearch }) => ({
    id,
    nameFolded: isPublic ? take(nameFolded, id) : nameFolded,
    nameSearch,
  }));
  await db.execute(writeGroups, [JSON.stringify(columns)], transaction);
  return filledBy(rows, after);
}

const filledBy = (rows: readonly { readonly id: number }[], after: number): Filled => ({
  count: rows.length,
  last: rows.at(-1)?.id ?? after,
});

/** Returns a function that returns a folded name for its first row and an ambiguous name for the others. */
function createTaking(taken: readonly (string | null)[]) {
  const known = new Set(taken);
  return <Name extends string | null | undefined>(folded: Name, id: number): Name | string => {
    if (folded == null) return folded;
    if (known.has(folded)) return ambiguous(folded, id);
    known.add(folded);
    return folded;
  };
}

/** The condition of the index users_unfolded. */
const isUnfoldedUser =
  '((username is not null and username_folded is null) or (display_name is not null and display_name_search is null))';

const isUnfoldedGroup = '(name is not null and name_folded is null)';

/** The other old account with the same name has been renamed or deleted. */
const isReleasedUser = `(
  (strpos(username_folded, chr(1)) > 0 or strpos(email_folded, chr(1)) > 0)
  and not exists (
    select from users other
    where other.id <> users.id and other.username_folded = split_part(users.username_folded, chr(1), 1)
  )
  and not exists (
    select from users other
    where other.id <> users.id and other.email_folded = split_part(users.email_folded, chr(1), 1)
  )
)`;

const isReleasedGroup = `(
  strpos(name_folded, chr(1)) > 0 and not exists (
    select from chats other
    where other.name_folded = split_part(chats.name_folded, chr(1), 1)
      and other.kind = 'group' and not other.is_private and other.closed_at is null
  )
)`;

const anyUnfolded = `
select exists (select from users where ${isUnfoldedUser}) or exists (select from chats where ${isUnfoldedGroup})
  or exists (select from users where ${isReleasedUser}) or exists (select from chats where ${isReleasedGroup}) as rows
`;

const releaseUsers = `
update users set username_folded = null, username_search = null, email_folded = null where ${isReleasedUser}
`;

const releaseGroups = `
update chats set name_folded = null where ${isReleasedGroup}
`;

const unfoldedUsers = `
select id, email, username, display_name as "displayName", username_folded as "usernameFolded"
from users where ${isUnfoldedUser} and id > $2
order by id limit $1 for update
`;

const unfoldedGroups = `
select id, name, kind = 'group' and not is_private and closed_at is null as "isPublic"
from chats where ${isUnfoldedGroup} and id > $2
order by id limit $1 for update
`;

const takenByUsers = `
select username_folded as username, null as email from users
where username_folded = any (array(select jsonb_array_elements_text($1::jsonb)))
union all
select null, email_folded from users where email_folded = any (array(select jsonb_array_elements_text($2::jsonb)))
`;

const takenByGroups = `
select name_folded as name from chats
where name_folded = any (array(select jsonb_array_elements_text($1::jsonb)))
  and kind = 'group' and not is_private and closed_at is null
`;

const writeUsers = `
update users set
  username_folded = coalesce(users.username_folded, row."usernameFolded"),
  username_search = coalesce(users.username_search, row."usernameSearch"),
  email_folded = coalesce(users.email_folded, row."emailFolded"),
  display_name_search = row."displayNameSearch"
from jsonb_to_recordset($1::jsonb) as row (
  id bigint, "usernameFolded" text, "usernameSearch" text, "emailFolded" text, "displayNameSearch" text
)
where users.id = row.id
`;

const writeGroups = `
update chats set name_folded = row."nameFolded", name_search = row."nameSearch"
from jsonb_to_recordset($1::jsonb) as row (id bigint, "nameFolded" text, "nameSearch" text)
where chats.id = row.id
`;

const ambiguousUsers = `
select id, username from users
where strpos(username_folded, chr(1)) > 0 or strpos(email_folded, chr(1)) > 0
order by id limit $1
`;

const ambiguousGroups = `
select id, name from chats where strpos(name_folded, chr(1)) > 0 order by id limit $1
`;

import type { Transaction } from 'sequelize';
import type { ChatId, UserId } from '../ids.ts';
import { createUniqueNames, foldedGroup, foldedUser } from '../text/foldedColumns.ts';
import type { Database } from './database.ts';
import {
  releaseGroups,
  releaseUsers,
  takenByGroups,
  takenByUsers,
  unfoldedGroups,
  unfoldedUsers,
  writeGroups,
  writeUsers,
} from './foldedNames.sql.ts';

/** Rows per transaction, which takes some tens of milliseconds. */
export const CHUNK = 500;

/** Fills a chunk of rows with ids above `after`; resolves to their number and the last id. */
export type Fill = (db: Database, transaction: Transaction, after: number) => Promise<Filled>;

export interface Filled {
  readonly count: number;
  readonly last: number;
}

interface UserRow {
  readonly id: UserId;
  readonly email: string | null;
  readonly username: string | null;
  readonly displayName: string | null;
  /** Not null if only the display name is missing. */
  readonly usernameFolded: string | null;
}

/** Fills the folded columns of accounts. */
export async function fillUsers(db: Database, transaction: Transaction, after: number): Promise<Filled> {
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
  const uniqueName = createUniqueNames(taken.map(({ username }) => username));
  const uniqueEmail = createUniqueNames(taken.map(({ email }) => email));
  const columns = folded.map(({ id, usernameFolded, emailFolded, ...rest }) => ({
    id,
    usernameFolded: uniqueName(usernameFolded, id),
    emailFolded: uniqueEmail(emailFolded, id),
    ...rest,
  }));
  await db.execute(writeUsers, [JSON.stringify(columns)], transaction);
  return filledBy(rows, after);
}

/** Fills the folded columns of groups; names of private groups need not be unique. */
export async function fillGroups(db: Database, transaction: Transaction, after: number): Promise<Filled> {
  await db.execute(releaseGroups, [], transaction);
  const rows = await db.query<{ id: ChatId; name: string; isPublic: boolean }>(
    unfoldedGroups,
    [CHUNK, after],
    transaction,
  );
  const folded = rows.map(({ id, name, isPublic }) => ({ id, isPublic, ...foldedGroup(name) }));
  const names = folded.filter(({ isPublic }) => isPublic).map(({ nameFolded }) => nameFolded);
  const taken = await db.query<{ name: string }>(takenByGroups, [JSON.stringify(names)], transaction);
  const unique = createUniqueNames(taken.map(({ name }) => name));
  const columns = folded.map(({ id, isPublic, nameFolded, nameSearch }) => ({
    id,
    nameFolded: isPublic ? unique(nameFolded, id) : nameFolded,
    nameSearch,
  }));
  await db.execute(writeGroups, [JSON.stringify(columns)], transaction);
  return filledBy(rows, after);
}

const filledBy = (rows: readonly { readonly id: number }[], after: number): Filled => ({
  count: rows.length,
  last: rows.at(-1)?.id ?? after,
});

import { hashSync } from 'bcryptjs';
import { createTokens } from '../../src/auth/tokens.ts';
import { foldedUser } from '../../src/text/foldedColumns.ts';
import { database, JWT_SECRET, type User } from '../harness.ts';

const PASSWORD = 'correct horse battery';
/** Of the lowest cost: a server takes it, and nobody guesses passwords here. */
const PASSWORD_HASH = hashSync(PASSWORD, 4);

const tokens = createTokens([JWT_SECRET], 86_400, Date);
let made = 0;

/** An account, made straight in the database: hashing passwords would take most of the run. */
export async function newAccount(): Promise<Omit<User, 'connect'>> {
  const username = `long-lived${process.pid}-${++made}`;
  const names = { username, email: `${username}@example.com` };
  const { id } = await database.users.create({
    ...{ ...names, ...foldedUser(names) },
    passwordHash: PASSWORD_HASH,
  });
  const token = tokens.issue({ id, tokenVersion: 1, othersEndedAt: null });
  return { id, ...names, password: PASSWORD, token };
}

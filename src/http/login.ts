import { Op } from 'sequelize';
import { Type } from 'typebox';
import { accountOf, assertUncommon, namesOf, normalise, refuseTaken } from '../accounts/account.ts';
import type { Database } from '../database/database.ts';
import type { User } from '../database/models/User.ts';
import { networkOf } from '../net/address.ts';
import { ApiError } from '../protocol/errors.ts';
import { Account, Email, OfferedPassword, Password, Token, Username } from '../protocol/schema/accounts.ts';
import { Text } from '../protocol/schema/types.ts';
import { fold } from '../text/fold.ts';
import { defineRoute } from './define.ts';

const LoginResult = Type.Object(
  { token: Token, user: Account },
  { title: 'Login', description: 'A token, and the account that it is for' },
);

export const register = defineRoute({
  method: 'POST',
  path: '/auth/register',
  summary: 'Create an account; FORBIDDEN if the server has registration closed',
  body: Type.Object({ email: Email, username: Username, password: Password }),
  success: { 201: { summary: 'The account and a token for it', schema: LoginResult } },
  errors: ['BAD_REQUEST', 'FORBIDDEN', 'CONFLICT', 'RATE_LIMITED'],
  async handle(
    { email, username, password },
    { db, tokens, passwords, attempts, address, registration: isOpen },
  ) {
    if (!isOpen) throw new ApiError('FORBIDDEN', 'Registration is closed on this server');
    assertUncommon(password);
    await attempts.registering(address);
    const passwordHash = await passwords.hash(password, networkOf(address));
    const user = await db.users.create({ ...namesOf({ email, username }), passwordHash }).catch(refuseTaken);
    return { status: 201, body: { token: tokens.issue(user), user: accountOf(user) } };
  },
});

export const login = defineRoute({
  method: 'POST',
  path: '/auth/login',
  summary: 'Log in with the email or the username, and the password',
  body: Type.Object({
    email: Type.Optional(Text(1, 254, 'Email; either this or username')),
    username: Type.Optional(Text(1, 64, 'Username; either this or email')),
    password: OfferedPassword,
  }),
  success: { 200: { summary: 'A token', schema: LoginResult } },
  errors: ['BAD_REQUEST', 'UNAUTHORIZED', 'FORBIDDEN', 'RATE_LIMITED'],
  async handle({ email, username, password }, { db, tokens, passwords, attempts, address, log }) {
    if ((email === undefined) === (username === undefined))
      throw new ApiError('BAD_REQUEST', 'body must have either email or username');
    const account = normalise(email ?? username ?? '');
    const client = networkOf(address);
    const user = await accountNamed(db, email === undefined ? 'username' : 'email', account);
    let isOutdated = false;
    const isRight = await attempts.guess(account, address, async () => {
      const outcome = await passwords.compare(password, user?.passwordHash ?? null, client);
      isOutdated = outcome === 'outdated';
      return outcome !== 'wrong';
    });
    if (!isRight || !user) throw new ApiError('UNAUTHORIZED', 'Unknown account or wrong password');
    if (user.disabledAt) throw new ApiError('FORBIDDEN', 'This account is disabled');
    if (isOutdated)
      await renewHash(user, password).catch((error) =>
        log.warn({ err: error }, 'failed to renew password hash'),
      );
    return { status: 200, body: { token: tokens.issue(user), user: accountOf(user) } };

    /** Replaces the hash, unless the password has changed since it was read. */
    async function renewHash({ id, passwordHash }: User, plaintext: string): Promise<void> {
      await db.users.update(
        { passwordHash: await passwords.hash(plaintext, client) },
        { where: { id, passwordHash } },
      );
    }
  },
});

/**
 * Returns the account with a name. Old accounts may differ by case only; then the one with the exact spelling is
 * returned.
 */
async function accountNamed(
  db: Database,
  column: 'email' | 'username',
  name: string,
): Promise<User | undefined> {
  const users = await db.users.findAll({
    where: { [Op.or]: [{ [column]: name }, { [`${column}Folded`]: fold(name) }] },
  });
  return users.find((user) => user[column] === name) ?? users[0];
}

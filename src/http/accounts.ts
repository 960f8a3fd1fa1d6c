import type { Transaction } from 'sequelize';
import { Type } from 'typebox';
import { accountOf, assertUncommon, namesOf, refuseTaken } from '../accounts/account.ts';
import { deleteAccount } from '../accounts/deleteAccount.ts';
import { reconcileEverywhere } from '../bus/outbox.ts';
import { userTopic } from '../bus/topics.ts';
import { databaseNow } from '../database/clock.ts';
import type { User } from '../database/models/User.ts';
import { networkOf } from '../net/address.ts';
import { ApiError } from '../protocol/errors.ts';
import { Account, Email, OfferedPassword, Password, Token, Username } from '../protocol/schema/accounts.ts';
import { described } from '../protocol/schema/types.ts';
import { chatsNaming, profileOf, publishName } from '../users/publishProfile.ts';
import { callerOf, defineRoute, type RouteContext } from './define.ts';

export const updateMe = defineRoute({
  method: 'PATCH',
  path: '/users/me',
  summary:
    'Change email, username or password; a new username is pushed to everybody who shares a chat with the user',
  authenticated: true,
  body: Type.Object(
    {
      email: Type.Optional(Email),
      username: Type.Optional(Username),
      password: Type.Optional(Password),
      currentPassword: Type.Optional(described(OfferedPassword, 'Required when email or password changes')),
    },
    { minProperties: 1 },
  ),
  success: {
    200: {
      summary: 'The account; if the password changed, a new token, and all other tokens become invalid',
      schema: Type.Object(
        { user: Account, token: Type.Optional(Token) },
        { title: 'ChangedAccount', description: 'The account after the change' },
      ),
    },
  },
  errors: ['BAD_REQUEST', 'UNAUTHORIZED', 'FORBIDDEN', 'CONFLICT', 'RATE_LIMITED'],
  async handle({ email, username, password, currentPassword }, context) {
    const { db, bus, changes: queue, tokens, passwords, attempts } = context;
    const client = networkOf(context.address);
    const user = callerOf(context);
    if (email === undefined && username === undefined && password === undefined)
      throw new ApiError('BAD_REQUEST', 'body must have at least one of email, username, password');
    if (password !== undefined) assertUncommon(password);
    if (email !== undefined || password !== undefined) {
      if (currentPassword === undefined)
        throw new ApiError('BAD_REQUEST', 'body.currentPassword is required when email or password changes');
      await assertPassword(user, currentPassword, context);
    }

    if (username !== undefined) await attempts.renaming(user.id);
    const changes = {
      ...namesOf({ email, username }),
      ...(password !== undefined && { passwordHash: await passwords.hash(password, client) }),
      ...(password !== undefined && { tokenVersion: user.tokenVersion + 1 }),
      updatedAt: databaseNow,
    };
    // The condition includes the version: of two concurrent changes one succeeds, and the token of the other is
    // revoked.
    const where = { id: user.id, tokenVersion: user.tokenVersion, deletedAt: null };
    const change = async (transaction: Transaction) => {
      const [, [row]] = await db.users
        .update(changes, { where, returning: true, transaction })
        .catch(refuseTaken);
      if (!row) throw new ApiError('UNAUTHORIZED', 'The token was revoked');
      if (password !== undefined) await reconcileEverywhere(db, row.id, transaction);
      const chats = username === undefined ? [] : await chatsNaming(db, row.id, transaction);
      return { row, chats };
    };
    const { row: changed } = await queue.run(profileOf(user.id), () =>
      db.transaction(change, ({ row, chats }) => {
        const { id, tokenVersion } = row;
        if (username !== undefined) publishName(bus, row, chats);
        if (password !== undefined) bus.publish(userTopic(id), { signal: { kind: 'revoked', tokenVersion } });
      }),
    );
    const body = { user: accountOf(changed) };
    return { status: 200, body: password === undefined ? body : { ...body, token: tokens.issue(changed) } };
  },
});

export const deleteMe = defineRoute({
  method: 'DELETE',
  path: '/users/me',
  summary:
    'Delete the account. Its messages remain under the name "Deleted user". It leaves all its groups; if there are many, it leaves some of them after the answer',
  authenticated: true,
  body: Type.Object({ password: OfferedPassword }),
  success: {
    204: {
      summary: 'Deleted; all tokens of the user become invalid, and all connections are closed',
      schema: null,
    },
  },
  errors: ['BAD_REQUEST', 'UNAUTHORIZED', 'FORBIDDEN', 'RATE_LIMITED'],
  async handle({ password }, context) {
    const user = callerOf(context);
    await assertPassword(user, password, context);
    await deleteAccount(user.id, context);
    await context.deletions.leave(user.id);
    return { status: 204 };
  },
});

async function assertPassword(user: User, password: string, { passwords, attempts, address }: RouteContext) {
  const account = user.username ?? '';
  const isRight = await attempts.guess(
    account,
    address,
    async () => (await passwords.compare(password, user.passwordHash, networkOf(address))) !== 'wrong',
  );
  if (!isRight) throw new ApiError('FORBIDDEN', 'The current password is wrong');
}

import { Type } from 'typebox';
import { existingUsers, isDisabled } from '../../accounts/userReferences.ts';
import { Token } from '../../protocol/schema/accounts.ts';
import { UserReference } from '../../protocol/schema/service.ts';
import { described, Id, Time } from '../../protocol/schema/types.ts';
import { activeUser } from '../../users/users.ts';
import { defineServiceCommand } from './define.ts';

/** Seconds of a year. */
const MAX_LIFETIME = 365 * 86_400;

export const createToken = defineServiceCommand({
  type: 'createToken',
  summary: 'Make a token with which a user connects: for hosts that have no signed tokens',
  description: 'It is a token as `POST /auth/login` returns it, and is revoked like one.',
  params: Type.Object({
    user: UserReference,
    expiresInSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_LIFETIME,
        description: 'Default: JWT_EXPIRES_IN of the server',
      }),
    ),
  }),
  result: Type.Object({
    data: Type.Object(
      { userId: Id.user, token: Token, expiresAt: described(Time, 'The token is refused from then on') },
      { title: 'UserToken', description: 'A token of a user' },
    ),
  }),
  scope: 'users',
  repeatable: true,
  cost: 1,
  errors: ['NOT_FOUND'],
  async handle({ user, expiresInSeconds }, { db, tokens }) {
    const [id] = await existingUsers(db, [user]);
    if (id === undefined) throw new Error('a reference without a user');
    const account = await activeUser(db, id);
    if (account.disabledAt) throw isDisabled();
    const token = tokens.issue(account, expiresInSeconds);
    const expiresAt = new Date(tokens.verify(token)?.expiresAt ?? 0).toISOString();
    return { data: { userId: id, token, expiresAt } };
  },
});

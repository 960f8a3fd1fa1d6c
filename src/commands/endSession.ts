import { Type } from 'typebox';
import { reconcileEverywhere } from '../bus/outbox.ts';
import { userTopic } from '../bus/topics.ts';
import { createGuard } from '../net/guard.ts';
import { ApiError } from '../protocol/errors.ts';
import { described, Empty, IdOfSession } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

export const endSession = defineCommand({
  type: 'endSession',
  summary: 'Log out: close a connection of this user and revoke its token, here or on another device',
  description:
    'All connections with the same token close with 4401, and the token becomes invalid. Exception: if another connection with the token of this connection is named, only that connection closes and the token stays valid. This connection closes after the reply.',
  params: Type.Object({
    sessionId: Type.Optional(described(IdOfSession, 'Default: the session of this connection')),
  }),
  result: Empty,
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 1,
  isOfConnection: true,
  errors: ['NOT_FOUND'],
  async handle({ sessionId }, { session, sessionId: own, sessions, bus, db, log, finish }) {
    const named = sessionId ?? own;
    const isOwn = named === own;
    await sessions.flushed();
    const bind = [named, session.userId, isOwn ? null : session.tokenId];
    await db.transaction(
      async (transaction) => {
        const [ended] = await db.execute<{ tokenId: string | null }>(endToken, bind, transaction);
        if (!ended) throw new ApiError('NOT_FOUND', `This user has no session ${named}`);
        await reconcileEverywhere(db, session.userId, transaction);
        return ended;
      },
      ({ tokenId }) => {
        const close = () =>
          bus.publish(userTopic(session.userId), {
            signal: { kind: 'ended', sessionId: named, ...(tokenId !== null && { tokenId }) },
          });
        // The reply leaves in this turn of the event loop, and has to be there before its connection closes.
        if (!isOwn) return close();
        finish();
        setImmediate(createGuard(log)('closing a session that was ended', close));
      },
    );
    return {};
  },
});

/** Ends the token of session $1 of user $2 unless it is $3, and returns it. Remembered for longer than any token lives. */
const endToken = `
with named as (
  select nullif(token_id, $3) as token_id from sessions where id = $1 and user_id = $2
), ended as (
  insert into ended_tokens (token_id, expires_at)
  select token_id, clock_timestamp() + interval '11 years' from named where token_id is not null
  on conflict do nothing
)
select token_id as "tokenId" from named
`;

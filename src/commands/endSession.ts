import { Type } from 'typebox';
import { reconcileEverywhere } from '../bus/outbox.ts';
import { userTopic } from '../bus/topics.ts';
import { createGuard } from '../net/guard.ts';
import { ApiError } from '../protocol/errors.ts';
import { Id } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

export const endSession = defineCommand({
  type: 'endSession',
  summary: 'End a connection of this user and its token: log out, here or on a device that was lost',
  description:
    'It closes with 4401, with all that were opened with the same token, and the token is good for nothing any more. Where that is the token of the connection that asks, it ends only if its own session is named: otherwise only the other connection closes. One’s own closes after the reply.',
  params: Type.Object({
    sessionId: Type.Optional({ ...Id, description: 'Left out: the session of this connection' }),
  }),
  result: Type.Object({}),
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

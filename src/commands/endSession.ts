import { Type } from 'typebox';
import { ApiError } from '../errors.ts';
import { Id } from '../schema/types.ts';
import { userTopic } from '../socket/Connections.ts';
import { defineCommand } from './define.ts';

export const endSession = defineCommand({
  type: 'endSession',
  summary: 'End another connection of this user: a device that was lost, or left logged in',
  description:
    'It closes with 4401, with all that were opened with the same token, and the token is good for nothing any more. Where that is the token of the connection that asks, only the other connection closes.',
  params: Type.Object({ sessionId: Id }),
  result: Type.Object({}),
  errors: ['NOT_FOUND', 'FORBIDDEN'],
  async handle({ sessionId }, { session, sessionId: own, sessions, bus, db }) {
    if (sessionId === own) throw new ApiError('FORBIDDEN', 'This connection is ended by closing it');
    await sessions.flushed();
    const bind = [sessionId, session.userId, session.tokenId];
    const [ended] = await db.select<{ tokenId: string | null }>(endToken, bind);
    if (!ended) throw new ApiError('NOT_FOUND', `This user has no session ${sessionId}`);
    const { tokenId } = ended;
    bus.publish(userTopic(session.userId), {
      signal: { kind: 'ended', sessionId, ...(tokenId !== null && { tokenId }) },
    });
    return {};
  },
});

/** Ends the token of a session, but not the one in $3, and returns it. Remembered for longer than any token lives. */
const endToken = `
with named as (
  select nullif(token_id, $3) as token_id from sessions where id = $1 and user_id = $2
), ended as (
  insert into ended_tokens (token_id, expires_at)
  select token_id, clock_timestamp() + interval '10 years' from named where token_id is not null
  on conflict do nothing
)
select token_id as "tokenId" from named
`;

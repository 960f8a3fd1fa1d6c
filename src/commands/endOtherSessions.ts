import { Type } from 'typebox';
import { reconcileEverywhere } from '../bus/outbox.ts';
import { userTopic } from '../bus/topics.ts';
import { Empty } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

export const endOtherSessions = defineCommand({
  type: 'endOtherSessions',
  summary: 'Close all other connections of this user and revoke their tokens',
  description: 'The connections close with 4401. This connection stays open and its token stays valid.',
  params: Type.Object({}),
  result: Empty,
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 1,
  isOfConnection: true,
  errors: [],
  async handle(_, { session, sessionId, bus, db }) {
    const { userId, tokenId } = session;
    await db.transaction(
      async (transaction) => {
        const [ended] = await db.execute<{ endedAt: Date }>(endOthers, [userId, tokenId], transaction);
        await reconcileEverywhere(db, userId, transaction);
        return ended?.endedAt.getTime();
      },
      (since) => bus.publish(userTopic(userId), { signal: { kind: 'othersEnded', sessionId, since } }),
    );
    return {};
  },
});

/**
 * Ends all tokens of user $1 but $2. A later time than the last one, whatever the clock says: tokens that carry it were
 * issued after.
 */
const endOthers = `
update users set others_ended_at = greatest(clock_timestamp(), others_ended_at + interval '1 millisecond'), kept_token_id = $2
where id = $1
returning others_ended_at as "endedAt"
`;

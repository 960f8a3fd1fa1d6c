import { Type } from 'typebox';
import { reconcileEverywhere } from '../bus/outbox.ts';
import { userTopic } from '../socket/Connections.ts';
import { defineCommand } from './define.ts';

export const endOtherSessions = defineCommand({
  type: 'endOtherSessions',
  summary: 'End all other connections and tokens of this user',
  description: 'They close with 4401. This connection stays, and so does its token.',
  params: Type.Object({}),
  result: Type.Object({}),
  errors: [],
  async handle(_, { session, sessionId, bus, db }) {
    const { userId, tokenId } = session;
    await db.transaction(
      async (transaction) => {
        await db.users.update(
          { othersEndedAt: new Date(), keptTokenId: tokenId },
          { where: { id: userId }, transaction },
        );
        await reconcileEverywhere(db, userId, transaction);
      },
      () => bus.publish(userTopic(userId), { signal: { kind: 'othersEnded', sessionId } }),
    );
    return {};
  },
});

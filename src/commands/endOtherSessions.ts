import { Type } from 'typebox';
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
    await db.users.update(
      { othersEndedAt: new Date(), keptTokenId: session.tokenId ?? null },
      { where: { id: session.userId } },
    );
    bus.publish(userTopic(session.userId), { signal: { kind: 'othersEnded', sessionId } });
    return {};
  },
});

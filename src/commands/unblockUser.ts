import { Type } from 'typebox';

import { Id } from '../schema/types.ts';
import { userTopic } from '../socket/Connections.ts';
import { encodePush } from '../socket/frames.ts';
import { blockOf } from '../users/blocks.ts';
import { nameOf } from '../users/names.ts';
import { activeUser, existingUser } from '../users/users.ts';
import { defineCommand } from './define.ts';

export const unblockUser = defineCommand({
  type: 'unblockUser',
  summary: 'Unblock a user',

  params: Type.Object({ userId: Id }),
  result: Type.Object({}),
  errors: ['NOT_FOUND'],
  push: {
    summary: 'This user unblocked somebody from another connection',
    fields: Type.Object({ userId: Id }),
  },
  async handle({ userId }, { session, origin, bus, changes, db }) {
    await existingUser(db, userId);
    await changes.run(blockOf(session.userId, userId), async () => {
      const frame = encodePush('unblockUser', null, nameOf(await activeUser(db, session.userId)), { userId });
      const where = { userId: session.userId, blockedId: userId };
      await db.transaction(
        (transaction) => db.blocks.destroy({ where, transaction }),
        () => bus.publish(userTopic(session.userId), { frame, except: origin }),
      );
    });
    return {};
  },
});

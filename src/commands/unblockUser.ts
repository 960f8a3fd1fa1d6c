import { Type } from 'typebox';
import { reconcileEverywhere } from '../bus/outbox.ts';
import { userTopic } from '../bus/topics.ts';
import { lockDialog, publishMoves, releasePositions } from '../chats/shownPositions.ts';
import { encodePush } from '../protocol/frames.ts';
import { described, Empty, Id, IdOfUser } from '../protocol/schema/types.ts';
import { blockOf } from '../users/blocks.ts';
import { nameOf } from '../users/names.ts';
import { activeUser, existingUser } from '../users/users.ts';
import { defineCommand } from './define.ts';

export const unblockUser = defineCommand({
  type: 'unblockUser',
  summary: 'Unblock a user',
  description:
    'If that was the last block between the two, both receive the other’s present positions and presence, as the pushes markRead, markDelivered and subscribePresence.',
  params: Type.Object({ userId: IdOfUser }),
  result: Empty,
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 1,
  errors: ['NOT_FOUND'],
  push: {
    summary: 'This user unblocked a user on another connection',
    fields: Type.Object({ userId: described(Id.user, 'The blocked user') }),
  },
  async handle({ userId }, { session, origin, bus, changes, db }) {
    await existingUser(db, userId);
    await changes.run(blockOf(session.userId, userId), async () => {
      const frame = encodePush('unblockUser', null, nameOf(await activeUser(db, session.userId)), { userId });
      const pair = [session.userId, userId] as const;
      const where = { userId: session.userId, blockedId: userId };
      await db.transaction(
        async (transaction) => {
          const dialog = await lockDialog(db, pair, transaction);
          const ended = await db.blocks.destroy({ where, transaction });
          const moves = dialog ? await releasePositions(db, pair, dialog, transaction) : [];
          if (ended > 0) for (const id of pair) await reconcileEverywhere(db, id, transaction);
          return { dialog, moves, ended };
        },
        ({ dialog, moves, ended }) => {
          if (ended > 0) for (const id of pair) bus.publish(userTopic(id), { signal: { kind: 'reconcile' } });
          bus.publish(userTopic(session.userId), { frame, except: origin });
          if (dialog) publishMoves(bus, pair, dialog, moves);
        },
      );
    });
    return {};
  },
});

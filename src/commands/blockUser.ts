import { Type } from 'typebox';
import { reconcileEverywhere } from '../bus/outbox.ts';
import { userTopic } from '../bus/topics.ts';
import { freezePositions, lockDialog } from '../chats/shownPositions.ts';
import type { UserId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import { encodePush } from '../protocol/frames.ts';
import { described, Empty, Id, IdOfUser } from '../protocol/schema/types.ts';
import { blockOf } from '../users/blocks.ts';
import { nameOf } from '../users/names.ts';
import { activeUser } from '../users/users.ts';
import { defineCommand } from './define.ts';

export const blockUser = defineCommand({
  type: 'blockUser',
  summary: 'Block a user',
  description:
    'Private messages of the blocked user to this user are refused. Neither sees the other’s typing, presence and read position; the read position stays as it is until the last block between the two ends, and advances only with messages of the other. The blocked user is not notified.',
  params: Type.Object({ userId: IdOfUser }),
  result: Empty,
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 1,
  errors: ['NOT_FOUND'],
  push: {
    summary: 'This user blocked a user on another connection',
    fields: Type.Object({ userId: described(Id.user, 'The blocked user') }),
  },
  async handle({ userId }, { session, origin, bus, changes, db }) {
    if (userId === session.userId) throw new ApiError('BAD_REQUEST', 'params.userId must be another user');
    await activeUser(db, userId);
    await changes.run(blockOf(session.userId, userId), async () => {
      const frame = encodePush('blockUser', null, nameOf(await activeUser(db, session.userId)), { userId });
      const pair = [session.userId, userId] as const;
      const dialog = await db.transaction(
        async (transaction) => {
          const dialog = await lockDialog(db, pair, transaction);
          await db.execute(insertBlock, pair, transaction);
          await freezePositions(db, pair, transaction);
          for (const id of pair) await reconcileEverywhere(db, id, transaction);
          return dialog;
        },
        () => {
          for (const [one, other] of [pair, pair.toReversed() as [UserId, UserId]])
            bus.publish(userTopic(one), { signal: { kind: 'unwatch', userId: other } });
          bus.publish(userTopic(session.userId), { frame, except: origin });
        },
      );
      // A dialog that is made at the same time looks for blocks as well once it is there: one of the two finds the other.
      if (!dialog) await freezePositions(db, pair);
      // Drafts that were judged before the block was committed are judged again.
      await db.execute(raiseRules, pair);
    });
    return {};
  },
});

const insertBlock = 'insert into blocks (user_id, blocked_id) values ($1, $2) on conflict do nothing';

/**
 * Beside what the trigger on `blocks` does (migration 0021), which does not see a dialog that is not committed yet. Each
 * time, so that a block whose answer was lost is complete once it is repeated.
 */
const raiseRules = `
update chats set rules_version = rules_version + 1
where user_low = least($1::bigint, $2::bigint) and user_high = greatest($1::bigint, $2::bigint)
`;

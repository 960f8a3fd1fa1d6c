import { Type } from 'typebox';
import { recordClosure } from '../chats/closures.ts';
import { changeGroup, deliveredBefore } from '../chats/groupChange.ts';
import { requireRole } from '../chats/membership.ts';
import { ApiError } from '../protocol/errors.ts';
import { GroupEvent } from '../protocol/schema/groups.ts';
import { Empty, IdOfGroup } from '../protocol/schema/types.ts';
import { nameOf } from '../users/names.ts';
import { defineCommand } from './define.ts';

export const deleteGroup = defineCommand({
  type: 'deleteGroup',
  summary: 'Delete a group for everybody',
  description:
    'Allowed for the owner. Its messages can no longer be read, and its name can be used again. If the same user deletes it again, nothing changes.',
  params: Type.Object({ groupId: IdOfGroup }),
  result: Empty,
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 2,
  managesGroup: true,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'FORBIDDEN'],
  push: { summary: 'A group was deleted; no further push about it follows', fields: GroupEvent },
  async handle({ groupId }, context) {
    await changeGroup(context, 'deleteGroup', groupId, async (change) => {
      requireRole(change.member(), 'owner');
      await recordClosure(context.db, groupId, change.transaction);
      return { content: `${nameOf(change.actor)} deleted the group`, fields: {}, closes: true };
    }).then(
      (deleted) => {
        context.closures.runSoon();
        return deliveredBefore(context.bus, groupId, deleted);
      },
      async (error) => {
        if (!(error instanceof ApiError && error.code === 'NOT_FOUND')) throw error;
        const [done] = await context.db.query(deletedBy, [groupId, context.session.userId]);
        if (!done) throw error;
      },
    );
    return {};
  },
});

/** True if a group is gone because a user deleted it: that is the last that was written there. */
const deletedBy = `
select from chats join messages on messages.chat_id = chats.id and messages.seq = chats.last_seq
where chats.id = $1 and chats.closed_at is not null and messages.sender_id = $2 and messages.kind = 'system'
  and messages.custom->>'type' = 'deleteGroup'
`;

import { Type } from 'typebox';

import { changeGroup } from '../chats/groupChange.ts';
import { groupRow } from '../chats/groups.ts';
import { requireRole } from '../chats/membership.ts';
import { refuseTakenName } from '../chats/publicNames.ts';
import { ApiError } from '../protocol/errors.ts';
import { Changed, Group, GroupSettings, groupEvent, SharedGroup } from '../protocol/schema/groups.ts';
import { IdOfGroup } from '../protocol/schema/types.ts';
import { foldedGroup } from '../text/foldedColumns.ts';
import { nameOf } from '../users/names.ts';
import { defineCommand } from './define.ts';

export const updateGroup = defineCommand({
  type: 'updateGroup',
  summary:
    'Change a group: name, description, privacy, permission to add and post, slow mode, history, custom data',
  description:
    'Allowed for the owner and admins. Omitted fields stay as they are; null clears description and custom.',
  params: Type.Object({ groupId: IdOfGroup, ...GroupSettings }, { minProperties: 2 }),
  result: Type.Object({ ...Changed.properties, data: Group }),
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 2,
  managesGroup: true,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'FORBIDDEN', 'CONFLICT'],
  push: { summary: 'A user changed a group', fields: groupEvent({ group: SharedGroup }) },
  async handle({ groupId, groupName, ...settings }, context) {
    const { db, session } = context;
    const done = await changeGroup(
      context,
      'updateGroup',
      groupId,
      async ({ transaction, group, actor, member }) => {
        requireRole(member(), 'owner', 'admin');
        const before = group.name;
        group.set({ ...settings, ...(groupName !== undefined && { name: groupName }) });
        if (!group.changed()) return undefined;
        if (group.changed('name') || group.changed('isPrivate')) group.set(foldedGroup(group.name ?? ''));
        await group.save({ transaction }).catch(refuseTakenName);
        await db.execute(
          'update chats set changed_xid = pg_current_xact_id() where id = $1',
          [groupId],
          transaction,
        );
        const what = group.name === before ? 'changed the group' : `named the group "${group.name}"`;
        const { role: _, ...row } = groupRow(group, null);
        return { content: `${nameOf(actor)} ${what}`, fields: { group: row } };
      },
    );
    const group = await db.chats.findByPk(groupId);
    const member = await db.members.findOne({ where: { chatId: groupId, userId: session.userId } });
    if (!group || !member) throw new ApiError('NOT_A_MEMBER'); // gone in between
    return { ...done, data: groupRow(group, member.role) };
  },
});

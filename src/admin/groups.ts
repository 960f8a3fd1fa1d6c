import { Op } from 'sequelize';
import { isValidInvite } from '../chats/invites.ts';
import type { Database } from '../database/database.ts';
import type { Chat } from '../database/models/Chat.ts';
import { ApiError } from '../protocol/errors.ts';
import { foldForSearch } from '../text/fold.ts';
import { type Action, limitOf, literally } from './define.ts';

export const listGroups: Action = async (_, values, { db }) => {
  const groups = await db.chats.findAll({
    where: {
      kind: 'group',
      ...(values.search !== undefined && {
        nameSearch: { [Op.startsWith]: literally(foldForSearch(String(values.search))) },
      }),
    },
    order: [['lastMessageAt', 'desc nulls last']],
    limit: limitOf(values),
  });
  return groups.map(shown);
};

export const listGroupConflicts: Action = (_, __, { db }) => db.query(conflicts, []);

export const auditGroup: Action = async ([id = ''], values, { db }) => {
  const group = await find(db, id);
  const [members, bans, invites, changes] = await Promise.all([
    db.query(membersOf, [group.id]),
    db.query(bansOf, [group.id]),
    db.query(invitesOf, [group.id]),
    db.query(changesOf, [group.id, limitOf(values)]),
  ]);
  return { ...shown(group), members, bans, invites, changes };
};

async function find(db: Database, id: string): Promise<Chat> {
  const group = /^[1-9]\d{0,14}$/.test(id)
    ? await db.chats.findOne({ where: { id: Number(id), kind: 'group' } })
    : null;
  if (!group) throw new ApiError('NOT_FOUND', `There is no group ${id}`);
  return group;
}

function shown(group: Chat) {
  const { id, name, isPrivate, createdBy, memberCount, lastSeq, lastMessageAt, closedAt } = group;
  return { id, name, isPrivate, createdBy, memberCount, messages: lastSeq, lastMessageAt, closedAt };
}

const conflicts = `
select chats.id, chats.name, other.id as "otherId", other.name as "otherName"
from chats left join chats other on other.name_folded = split_part(chats.name_folded, chr(1), 1)
  and other.kind = 'group' and not other.is_private and other.closed_at is null
where strpos(chats.name_folded, chr(1)) > 0 and not chats.is_private and chats.closed_at is null
order by chats.id
`;

const membersOf = `
select users.id as "userId", username, role, joined_at as "joinedAt"
from chat_members member join users on users.id = member.user_id
where chat_id = $1 and (select closed_at from chats where id = $1) is null
order by role = 'owner' desc, role = 'admin' desc, joined_at
`;

const bansOf = `
select user_id as "userId", username, banned_by as "bannedBy", reason, bans.created_at as "createdAt"
from bans join users on users.id = bans.user_id where chat_id = $1 order by bans.created_at
`;

/** Excludes the codes, because anybody with a code can join. */
const invitesOf = `
select id, created_by as "createdBy", uses, max_uses as "maxUses", expires_at as "expiresAt", created_at as "createdAt"
from invites where chat_id = $1 and ${isValidInvite} order by id
`;

const changesOf = `
select seq, custom->>'type' as type, sender_id as "by", content, created_at as "createdAt"
from messages where chat_id = $1 and kind = 'system' order by seq desc limit $2
`;

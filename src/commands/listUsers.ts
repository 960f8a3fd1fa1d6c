import { Op } from 'sequelize';
import { Type } from 'typebox';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { Cursor, NextCursor } from '../schema/cursor.ts';
import { Profile } from '../schema/people.ts';
import { CustomFilter, Limit } from '../schema/types.ts';
import { profilesOf } from '../users/profiles.ts';
import { defineRead } from './define.ts';

export const listUsers = defineRead({
  type: 'listUsers',
  summary: 'List all users in the order they registered, with their online state',
  params: Type.Object({ custom: CustomFilter, limit: Limit, cursor: Cursor }),
  result: Type.Object({ data: Type.Array(Profile), nextCursor: NextCursor }),
  cost: 2,
  errors: [],
  async handle({ custom, limit = DEFAULT_LIMIT, cursor }, { session, db, presence, cursors }) {
    const users = await db.users.findAll({
      where: {
        id: { [Op.gt]: cursors.idFrom(cursor, 0) },
        deletedAt: null,
        ...(custom && { custom: { [Op.contains]: custom } }),
      },
      order: ['id'],
      limit: limit + 1,
    });
    const profiles = await profilesOf(presence, session.userId, users);
    return cursors.pageOf(profiles, limit, ({ userId }) => [userId]);
  },
});

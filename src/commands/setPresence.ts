import { Type } from 'typebox';
import { defineCommand } from './define.ts';

export const setPresence = defineCommand({
  type: 'setPresence',
  summary: 'Become invisible, which shows this user as offline to everybody, or visible again',
  params: Type.Object({ invisible: Type.Boolean() }),
  result: Type.Object({}),
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 1,
  errors: [],
  push: {
    summary: 'This user became invisible or visible on another connection',
    fields: Type.Object({ invisible: Type.Boolean() }),
  },
  async handle({ invisible }, { session, origin, presenceChanges }) {
    await presenceChanges.setInvisible(session.userId, invisible, origin);
    return {};
  },
});

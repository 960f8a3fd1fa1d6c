import { Type } from 'typebox';
import { Empty } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

const Invisible = Type.Boolean({ description: 'True: invisible; false: visible' });

export const setPresence = defineCommand({
  type: 'setPresence',
  summary: 'Become invisible, which shows this user as offline to everybody, or visible again',
  params: Type.Object({ invisible: Invisible }),
  result: Empty,
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 1,
  errors: [],
  push: {
    summary: 'This user became invisible or visible on another connection',
    fields: Type.Object({ invisible: Invisible }),
  },
  async handle({ invisible }, { session, origin, presenceChanges }) {
    await presenceChanges.setInvisible(session.userId, invisible, origin);
    return {};
  },
});

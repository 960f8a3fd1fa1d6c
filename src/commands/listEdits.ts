import { Type } from 'typebox';
import { readLiveMessage } from '../messages/read.ts';
import { Edit } from '../schema/messages.ts';
import { Id } from '../schema/types.ts';
import { defineCommand } from './define.ts';

export const listEdits = defineCommand({
  type: 'listEdits',
  summary: 'Read what a message said before it was changed, oldest first, and what it says now',
  params: Type.Object({ messageId: Id }),
  result: Type.Object({ data: Type.Array(Edit) }),
  errors: ['NOT_FOUND'],
  async handle({ messageId }, { session, db }) {
    const { content, createdAt, editedAt } = await readLiveMessage(db, session.userId, messageId);
    const edits = await db.edits.findAll({ where: { messageId }, order: ['version'] });
    const past = edits.map((edit) => ({
      version: edit.version,
      content: edit.content,
      createdAt: edit.createdAt.toISOString(),
    }));
    const now = { version: edits.length + 1, content, createdAt: (editedAt ?? createdAt).toISOString() };
    return { data: [...past, now] };
  },
});

import type { Fields } from '../protocol/frames.ts';
import { chatOf, type MessageRow, type SystemEvent } from './read.ts';

/** The parts of a push. */
export interface MessagePush {
  readonly type: string;
  readonly message: string;
  readonly senderName: string;
  readonly fields: Fields;
}

/**
 * Returns the push of a message that was read. Later changes are included: otherwise a deleted message would look like an
 * empty one.
 */
export function messagePush(row: MessageRow): MessagePush {
  const { messageId, seq, kind, senderId, senderName, content: message, createdAt } = row;
  const at = { messageId, seq, createdAt: createdAt.toISOString(), senderId, ...chatOf(row) };
  const address = row.version > 0 ? { ...at, ...changesOf(row) } : at;
  if (kind === 'system') {
    const { type = '', membership: _, ...fields } = (row.custom ?? {}) as Partial<SystemEvent>;
    return { type, message, senderName, fields: { ...address, event: { type, ...fields }, ...fields } };
  }
  const extras = {
    replyTo: row.replyTo ?? undefined,
    silent: row.silent || undefined,
    custom: row.custom ?? undefined,
    mentions: row.mentions ?? undefined,
    forwardedFrom: row.forwardedFrom ?? undefined,
    forwardedFromName: row.forwardedFromName ?? undefined,
  };
  const type = row.isGroup ? 'messageInGroup' : 'privateMessage';
  return { type, message, senderName, fields: { ...address, ...extras } };
}

function changesOf({ version, editedAt, deletedAt, counts, pinned }: MessageRow) {
  return {
    version,
    editedAt: editedAt?.toISOString(),
    deletedAt: deletedAt?.toISOString(),
    reactions: counts ? Object.entries(counts).map(([emoji, count]) => ({ emoji, count })) : undefined,
    pinned: pinned || undefined,
  };
}

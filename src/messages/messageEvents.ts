import type { Transaction } from 'sequelize';
import type { Database } from '../database/database.ts';
import type { MessageId, UserId } from '../ids.ts';
import type { EventType } from '../protocol/schema/events.ts';

/** A change of a message, for the backend of an integrator. */
export interface MessageChangeRecord {
  readonly type: Extract<EventType, 'edit' | 'deletion' | 'reaction' | 'pin'>;
  readonly messageId: MessageId;
  /** The user who changed it; null: an operator. */
  readonly userId: UserId | null;
  /** Neither content nor anything else that a deletion must remove: events are kept longer than a deleted message. */
  readonly data: ChangeData;
}

/** The part of a change that the message itself does not show. */
export interface ChangeData {
  /** The type of the command, and so of the push. */
  readonly command: string;
  /** The number of the change. */
  readonly version: number;
  /** It is not shown once the message is deleted. */
  readonly reaction?: Reaction;
}

/** A reaction that was added or removed, and the number of those left. */
export interface Reaction {
  readonly emoji: string;
  readonly count: number;
}

/**
 * Stores the events of changes in their transaction, which has made them: an event gets its id after those of all messages
 * that were committed before.
 */
export async function recordMessageEvents(
  db: Database,
  changes: readonly MessageChangeRecord[],
  transaction: Transaction,
): Promise<void> {
  await db.execute(insertEvents, [JSON.stringify(changes)], transaction);
}

const insertEvents = `
insert into events (type, chat_id, message_id, user_id, data)
select type, (select chat_id from messages where id = "messageId"), "messageId", "userId", data
from jsonb_to_recordset($1::jsonb) as change (type text, "messageId" bigint, "userId" bigint, data jsonb)
`;

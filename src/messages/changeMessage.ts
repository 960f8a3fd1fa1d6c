import type { Transaction } from 'sequelize';
import type { Static, TObject } from 'typebox';
import type { KeyedQueue } from '../bus/KeyedQueue.ts';
import { addressOf } from '../chats/membership.ts';
import { pushToChat } from '../chats/publish.ts';
import type { Database } from '../database/database.ts';
import type { Chat } from '../database/models/Chat.ts';
import type { MessageId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import type { Fields } from '../protocol/frames.ts';
import type { ChangedMessage as ChangedMessageSchema } from '../protocol/schema/messages.ts';
import type { ActingUser } from '../users/actingUser.ts';
import { assertNotBlocked } from '../users/blocks.ts';
import { nameOf } from '../users/names.ts';
import { activeUser } from '../users/users.ts';
import { type MessageChangeRecord, type Reaction, recordMessageEvents } from './messageEvents.ts';
import { type MessageRow, readLiveMessage, type readMessage } from './read.ts';

/** The user who changes a message, and what keeps changes of one message in order up to their push. */
export interface MessageActor extends ActingUser {
  readonly changes: KeyedQueue;
}

/** A message that is about to change. */
export interface MessageChange {
  readonly transaction: Transaction;
  /** Locked against other changes. */
  readonly row: MessageRow;
  readonly chat: Chat;
}

/** A change of a message, to be pushed. */
export interface MessageEvent {
  /** The type of the event for the backend. */
  readonly event: MessageChangeRecord['type'];
  readonly reaction?: Reaction;
  /** The part of the message whose state it describes: a newer push of the same part replaces an older one. */
  readonly part: string;
  /** The new content, if it changed. */
  readonly content?: string;
  /** Fields in addition to the address of the message and its `version`. */
  readonly fields?: Fields;
  /** The counted change, if the statement that changed the message included {@link countChange}. */
  readonly raised?: Raised;
}

/** A counted change of a message: the new version, and the newest message of the chat. */
export interface Raised {
  readonly version: number;
  readonly head: number;
}

/** A message after a change, or unchanged if there was nothing to change. */
export interface ChangedMessage<Change> {
  readonly row: MessageRow;
  readonly change: Change;
  /** Fields of the reply that are common to all changes of messages. */
  readonly changed: Static<TObject<typeof ChangedMessageSchema>>;
}

/**
 * Changes a message for all members of its chat. The connected user must be allowed to see it. `work` checks and writes
 * within the transaction and returns the event, or undefined if nothing had to change. After the commit it is pushed to
 * the other members with the type of the command, before the next change of the message begins on this node, and the
 * `sync` of every member lists the message. Private state of one user must not be changed this way. `read` determines
 * whether deleted messages can be changed.
 */
export async function changeMessageForAll<Event extends MessageEvent | undefined>(
  actor: MessageActor,
  type: string,
  messageId: MessageId,
  work: (message: MessageChange) => Promise<Event>,
  read: typeof readMessage = readLiveMessage,
): Promise<ChangedMessage<Event>> {
  const { session, db, changes } = actor;
  return changes.run(`message:${messageId}`, async () => {
    const changeIt = async (transaction: Transaction) => {
      await db.execute('select from messages where id = $1 for no key update', [messageId], transaction);
      const row = await read(db, session.userId, messageId, transaction);
      const chat = await db.chats.findByPk(row.chatId, { transaction });
      if (!chat) throw new Error('a message without a chat');
      if (!row.deletedAt) await assertNotBlocked(db, chat, session.userId, transaction);
      const sender = await activeUser(db, session.userId, transaction);
      const change = await work({ transaction, row, chat });
      const raised = change && (change.raised ?? (await raiseVersions(db, [messageId], transaction))[0]);
      if (change && raised) {
        const { event, reaction } = change;
        const data = { command: type, version: raised.version, ...(reaction && { reaction }) };
        await recordMessageEvents(
          db,
          [{ type: event, messageId, userId: session.userId, data }],
          transaction,
        );
      }
      return { chat, row, sender, change, raised };
    };
    const { chat, row, change, raised } = await db.transaction(
      changeIt,
      ({ chat, row, sender, change, raised }) => {
        if (!change || !raised) return;
        const { seq } = row;
        const { version, head } = raised;
        pushToChat(actor, chat, {
          type,
          senderName: nameOf(sender),
          message: change.content ?? null,
          fields: { messageId, seq, version, ...change.fields },
          about: { head, seq, version, part: change.part },
        });
      },
    );
    const version = raised?.version ?? row.version;
    return { row, change, changed: { seq: row.seq, version, ...addressOf(chat, session.userId) } };
  });
}

/**
 * Assignments of an `update messages` that count the change, so that `sync` finds it and clients recognise newer
 * pushes.
 */
export const countChange = 'changed_xid = pg_current_xact_id(), version = coalesce(version, 0) + 1';

/** The columns of {@link Raised}, for the `returning` of such an update. */
export const raisedColumns = `
messages.version, (select last_seq from chats where chats.id = messages.chat_id) as head
`;

/** Counts a change of messages that does not affect their rows. */
async function raiseVersions(
  db: Database,
  messageIds: readonly MessageId[],
  transaction: Transaction,
): Promise<Raised[]> {
  return db.execute(raise, [JSON.stringify(messageIds)], transaction);
}

const raise = `
update messages set ${countChange}
where id = any (array(select id.value::bigint from jsonb_array_elements_text($1::jsonb) id))
returning ${raisedColumns}
`;

/** Refuses changes of system messages with `FORBIDDEN`. */
export function assertWrittenByUser({ kind }: MessageRow): void {
  if (kind === 'system') throw new ApiError('FORBIDDEN', 'System messages cannot be changed');
}

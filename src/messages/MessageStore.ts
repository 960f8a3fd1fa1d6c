import type { QueryResultRow } from 'pg';
import type { Transaction } from 'sequelize';
import type { SystemMessageDraft } from '../chats/systemMessage.ts';
import type { Database } from '../database/database.ts';
import { repeatable } from '../database/failures.ts';
import type { ChatId, MessageId, UserId } from '../ids.ts';
import { nameOf } from '../users/names.ts';
import type { DialogDirectory } from './dialogs.ts';
import type { MessageDraft, StoredMessage } from './drafts.ts';
import { namesIn } from './mentions.ts';
import { Permits } from './Permits.ts';
import { type PlainAnswer, PlainBatch } from './PlainBatch.ts';
import { isStale, type Refusal, type RefusalReason, STALE } from './refusals.ts';
import { writeBatch } from './writeBatch.sql.ts';
import { writeOne, writePlain } from './writePlain.sql.ts';
import { writeSystem } from './writeSystem.sql.ts';

/** Outcome of a message: the stored message or the refusal. */
export type Result = StoredMessage | Refusal;

/** A message in the form of the parameters of the statements. */
export interface EncodedDraft {
  readonly draft: MessageDraft;
  /** The result of {@link encodeExtras}. */
  readonly extras: string | null;
}

interface BatchRow extends QueryResultRow {
  readonly refusal: RefusalReason | null;
  /** Seconds for which slow mode refuses further messages of the sender. */
  readonly slow_for: number | null;
  readonly repeated: boolean;
  /** Null if the account is deleted but has not left its groups yet. */
  readonly sender_name: string | null;
  readonly mentions: UserId[] | null;
  readonly seq: number;
  readonly id: MessageId;
  readonly chat_id: ChatId;
  readonly created_at: Date;
  readonly permit: number | null;
  /** Set in the first row only. */
  readonly run: string | null;
}

interface SystemRow {
  readonly id: MessageId;
  readonly seq: number;
  readonly createdAt: Date;
}

/** The columns of {@link writeOne}, as text. */
type OneRow = [id: string, seq: string, seconds: string, name: string | null];

/**
 * Stores messages, one statement per batch: {@link writeBatch} stores any messages; {@link writePlain} takes half of
 * the time and stores messages that consist of a text only and whose sender is known to be allowed to write.
 */
export class MessageStore {
  readonly #database: Database;
  readonly #dialogs: DialogDirectory;
  readonly #permits = new Permits();
  #batches = 0;

  constructor(database: Database, dialogs: DialogDirectory) {
    this.#database = database;
    this.#dialogs = dialogs;
  }

  /** Returns the chat of a message, if it is known. */
  chatOf(draft: MessageDraft): ChatId | undefined {
    return this.#dialogs.chatOf(draft);
  }

  /** Returns true if {@link writePlain} can store a message in a chat. */
  isPlain({ draft, extras }: EncodedDraft, chatId: ChatId): boolean {
    return extras === null && this.#permits.has(chatId, draft);
  }

  /** Stores any messages. On an open connection the statement has been sent when this returns. */
  async write(
    messages: readonly EncodedDraft[],
    chatIds: readonly (ChatId | null)[],
  ): Promise<readonly Result[]> {
    const values = parameters(messages, chatIds);
    const name = this.#named('writeBatch');
    // Repeated, it finds messages that another node stored at the same moment.
    const rows = await repeatable(() =>
      this.#database.writer.query<BatchRow>({ name, text: writeBatch, values }),
    );
    const run = rows[0]?.run;
    return rows.map((row, index) => {
      const { draft } = messages[index] as EncodedDraft;
      if (run && row.permit !== null)
        this.#permits.keep(row.chat_id, draft, { run, rulesVersion: row.permit });
      return resultOf(row);
    });
  }

  /** Stores plain messages. The result is `STALE` for those whose permission must be checked again. */
  async writePlain(drafts: readonly MessageDraft[], chatIds: readonly ChatId[]): Promise<readonly Result[]> {
    const results = await (drafts.length === 1
      ? this.#writeOne(drafts[0] as MessageDraft, chatIds[0] as ChatId)
      : this.#writeMany(drafts, chatIds));
    for (const [index, result] of results.entries())
      if (isStale(result)) this.#permits.delete(chatIds[index] as ChatId);
    return results;
  }

  async #writeMany(drafts: readonly MessageDraft[], chatIds: readonly ChatId[]): Promise<readonly Result[]> {
    const batch = new PlainBatch(drafts, chatIds);
    const values = batch.parameters((chatId) => this.#permits.versionOf(chatId), this.#permits.run);
    const name = this.#named('writePlain');
    const [row] = await repeatable(() =>
      this.#database.writer.query<{ answer: PlainAnswer }>({ name, text: writePlain, values }),
    );
    if (!row) throw new Error('the statement for plain messages returned no row');
    return batch.results(row.answer);
  }

  async #writeOne(
    { senderId, to, content, clientMessageId }: MessageDraft,
    chatId: ChatId,
  ): Promise<readonly Result[]> {
    const permits = this.#permits;
    const values = [
      chatId,
      permits.versionOf(chatId),
      senderId,
      content,
      clientMessageId ?? null,
      permits.run,
      'receiverId' in to ? to.receiverId : null,
    ];
    const name = this.#named('writeOne');
    const [row] = await repeatable(() =>
      this.#database.writer.query<OneRow>({ name, text: writeOne, values, asText: true }),
    );
    if (!row) return [STALE];
    const [messageId, seq, seconds, username] = row;
    return [
      {
        chatId,
        messageId: Number(messageId) as MessageId,
        seq: Number(seq),
        createdAt: new Date(Math.round(Number(seconds) * 1000)).toISOString(),
        senderName: nameOf({ username }),
        mentions: null,
        repeated: false,
      },
    ];
  }

  /**
   * Returns the name of a prepared statement. It changes each time the number of batches has doubled, so that the
   * statement is planned again for the current size of the tables: a plan for empty tables scans them.
   */
  #named(statement: string): string {
    return `${statement} ${Math.floor(Math.log2(++this.#batches))}`;
  }

  /** Stores the system message of a change as a part of its transaction. */
  async writeSystem(transaction: Transaction, message: SystemMessageDraft): Promise<StoredMessage> {
    const { groupId, senderId, senderName, content, custom, clientMessageId, members, closes } = message;
    const bind = [
      ...[groupId, senderId, content, JSON.stringify(custom), clientMessageId ?? null],
      ...[members, closes ?? false],
    ];
    const [row] = await this.#database.execute<SystemRow>(writeSystem, bind, transaction);
    if (!row) throw new Error('the chat of a change does not exist');
    return {
      chatId: groupId,
      messageId: row.id,
      seq: row.seq,
      createdAt: row.createdAt.toISOString(),
      senderName,
      mentions: null,
      repeated: false,
    };
  }
}

/** Encodes the extras of a message and the mentioned names as JSON; returns null if there are none. */
export function encodeExtras({ kind, content, extras }: MessageDraft): string | null {
  const mentioned = kind === 'text' && content.includes('@') ? namesIn(content) : [];
  if (!extras && mentioned.length === 0) return null;
  return JSON.stringify({ ...extras, ...(mentioned.length > 0 && { mentioned }) });
}

/** Returns the parameters of {@link writeBatch}. */
function parameters(messages: readonly EncodedDraft[], chatIds: readonly (ChatId | null)[]): unknown[] {
  return [
    chatIds,
    messages.map(({ draft }) => draft.senderId),
    messages.map(({ draft: { to } }) => ('receiverId' in to ? to.receiverId : null)),
    messages.map(({ draft }) => draft.kind),
    messages.map(({ draft }) => draft.content),
    messages.map(({ draft }) => draft.clientMessageId ?? null),
    messages.map(({ extras }) => extras),
  ];
}

function resultOf(row: BatchRow): Result {
  if (row.refusal === 'NOT_NEXT') return { reason: row.refusal, seq: row.seq };
  if (row.refusal) return { reason: row.refusal, ...(row.slow_for !== null && { seconds: row.slow_for }) };
  return {
    chatId: row.chat_id,
    messageId: row.id,
    seq: row.seq,
    createdAt: row.created_at.toISOString(),
    senderName: nameOf({ username: row.sender_name }),
    mentions: row.mentions,
    repeated: row.repeated,
  };
}

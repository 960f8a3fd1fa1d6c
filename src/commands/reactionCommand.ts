import { Type } from 'typebox';
import { changeMessageForAll, type Raised } from '../messages/changeMessage.ts';
import type { MessageRow } from '../messages/read.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import { ChangedMessage, Emoji, MessageAddress, ReactionCount } from '../protocol/schema/messages.ts';
import { IdOfMessage } from '../protocol/schema/types.ts';
import { emojiOf } from '../text/emoji.ts';
import { defineCommand } from './define.ts';

interface ReactionDefinition<Name extends string> {
  readonly type: Name;
  readonly summary: string;
  readonly description: string;
  readonly errors?: readonly ErrorCode[];
  readonly pushSummary: string;
  /** Refuses what must not be. */
  check?(row: MessageRow, emoji: string): void;
  /**
   * The statement that changes the reactions of the message $1 chat, $2 seq, by user $3 with emoji $4, and the
   * counts in the message along, and counts the change; returns the new `count` and what was counted, or no row where
   * nothing changed.
   */
  readonly statement: string;
}

/** Defines a command that changes one reaction of the connected user. */
export function defineReaction<const Name extends string>(definition: ReactionDefinition<Name>) {
  const { type, summary, description, errors = [], pushSummary, check, statement } = definition;
  return defineCommand({
    type,
    summary,
    description,
    params: Type.Object({ messageId: IdOfMessage, emoji: Emoji }),
    result: Type.Object({ ...ChangedMessage, ...ReactionCount.properties }),
    repeatable: true,
    storesMessage: false,
    ordered: true,
    cost: 1,
    errors: ['NOT_FOUND', 'FORBIDDEN', ...errors],
    push: {
      summary: pushSummary,
      fields: Type.Object({
        ...MessageAddress,
        ...ReactionCount.properties,
      }),
    },
    async handle({ messageId, ...params }, context) {
      const { session, db } = context;
      const emoji = emojiOf(params.emoji) ?? params.emoji;
      const { row, change, changed } = await changeMessageForAll(
        context,
        type,
        messageId,
        async (message) => {
          const { transaction, row } = message;
          check?.(row, emoji);
          const bind = [row.chatId, row.seq, session.userId, emoji];
          const [reaction] = await db.execute<Raised & { count: number }>(statement, bind, transaction);
          if (!reaction) return undefined;
          const { count, ...raised } = reaction;
          // of this user: whoever reacts as well does not replace it
          const part = `reaction:${emoji}:${session.userId}`;
          const state = { emoji, count };
          return { event: 'reaction', reaction: state, part, fields: state, raised };
        },
      );
      return { ...changed, emoji, count: change?.fields.count ?? row.counts?.[emoji] ?? 0 };
    },
  });
}

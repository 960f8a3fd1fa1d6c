import { Type } from 'typebox';
import { pushToChat } from '../chats/publish.ts';
import { type CommandContext, defineCommand } from '../commands/define.ts';
import type { ErrorCode } from '../errors.ts';
import { Emoji, MessageAddress } from '../schema/messages.ts';
import { Id } from '../schema/types.ts';
import { emojiOf } from '../text/emoji.ts';
import { changeMessage } from './changeMessage.ts';
import type { MessageRow } from './read.ts';

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
   * counts in the message along; returns the new `count`, or no row where nothing changed.
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
    params: Type.Object({ messageId: Id, emoji: Emoji }),
    result: Type.Object({}),
    errors: ['NOT_FOUND', 'FORBIDDEN', ...errors],
    push: {
      summary: pushSummary,
      fields: Type.Object({
        ...MessageAddress,
        emoji: Type.String(),
        count: Type.Integer({ description: 'How often it stands there now' }),
      }),
    },
    async handle({ messageId, ...params }, context: CommandContext) {
      const { session, db } = context;
      const emoji = emojiOf(params.emoji) ?? params.emoji;
      const changed = await changeMessage(context, messageId, async ({ transaction, row }) => {
        check?.(row, emoji);
        const bind = [row.chatId, row.seq, session.userId, emoji];
        const [reaction] = await db.select<{ count: number }>(statement, bind, transaction);
        return reaction?.count;
      });
      const { chat, row, result: count } = changed;
      if (count !== undefined)
        await pushToChat(context, chat, type, null, { messageId, seq: row.seq, emoji, count });
      return {};
    },
  });
}

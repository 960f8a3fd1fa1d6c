import type { Static, TObject, TProperties } from 'typebox';
import { Type } from 'typebox';
import { type ChatAddress as Address, membershipIn, ownStateOf } from '../chats/membership.ts';
import { pushToSelf } from '../chats/publish.ts';
import { ChatAddress } from '../protocol/schema/chats.ts';
import { Empty, inChat } from '../protocol/schema/types.ts';
import { nameOf } from '../users/names.ts';
import { activeUser } from '../users/users.ts';
import { defineCommand } from './define.ts';

interface SettingDefinition<Name extends string, Properties extends TProperties> {
  readonly type: Name;
  readonly summary: string;
  readonly description?: string;
  /** Beside the address of the chat; pushed as they are. */
  readonly params: TObject<Properties>;
  /** The statement that changes the row of chat_members of $1 chat, $2 user, and returns it when it changed. */
  readonly change: string;
  /** $3 and so on of the statement. */
  bind(params: Static<TObject<Properties>>): readonly unknown[];
}

/** Defines a command that changes what one has to do with a chat oneself: only one's own connections are notified. */
export function defineSetting<const Name extends string, Properties extends TProperties>(
  definition: SettingDefinition<Name, Properties>,
) {
  const { type, summary, description, params, change, bind } = definition;
  return defineCommand({
    type,
    summary,
    ...(description !== undefined && { description }),
    params: inChat(params.properties),
    result: Empty,
    repeatable: true,
    storesMessage: false,
    ordered: true,
    cost: 1,
    errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
    push: {
      summary: 'This user changed the setting on another connection',
      fields: Type.Object({ ...ChatAddress, ...params.properties }),
    },
    async handle(params, context) {
      const validated = params as unknown as Address & Static<TObject>; // generic, so the compiler does not know
      const { receiverId, groupId, ...setting } = validated;
      const { session, changes, db } = context;
      const { userId } = session;
      const { chat } = await membershipIn(db, userId, validated);
      await changes.run(ownStateOf(chat, userId), async () => {
        const senderName = nameOf(await activeUser(db, userId));
        const values = [chat.id, userId, ...bind(setting as unknown as Static<TObject<Properties>>)];
        await db.transaction(
          (transaction) => db.execute(change, values, transaction),
          (changed) => {
            if (changed.length > 0) pushToSelf(context, chat, { type, senderName, fields: setting });
          },
        );
      });
      return {};
    },
  });
}

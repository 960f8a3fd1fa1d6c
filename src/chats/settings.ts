import type { Static, TObject } from 'typebox';
import { Type } from 'typebox';
import { type Command, type CommandContext, defineCommand } from '../commands/define.ts';
import { ChatAddress } from '../schema/chats.ts';
import { inChat } from '../schema/types.ts';
import { userTopic } from '../socket/Connections.ts';
import { encodePush, type Fields } from '../socket/frames.ts';
import { nameOf } from '../users/names.ts';
import { activeUser } from '../users/users.ts';
import { type ChatAddress as Address, addressOf, seatIn } from './seats.ts';

interface SettingDefinition<Params extends TObject> {
  readonly type: string;
  readonly summary: string;
  readonly description?: string;
  /** Beside the address of the chat; pushed as they are. */
  readonly params: Params;
  /** The statement that changes the row of chat_members of $1 chat, $2 user, and returns it when it changed. */
  readonly change: string;
  /** $3 and so on of the statement. */
  bind(params: Static<Params>): readonly unknown[];
}

/** Defines a command that changes what one has to do with a chat oneself: only one's own connections are told. */
export function defineSetting<Params extends TObject>(definition: SettingDefinition<Params>): Command {
  const { type, summary, description, params, change, bind } = definition;
  return defineCommand({
    type,
    summary,
    ...(description !== undefined && { description }),
    params: inChat(params.properties),
    result: Type.Object({}),
    errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
    push: {
      summary: 'This user did it from another connection',
      fields: Type.Object({ ...ChatAddress, ...params.properties }),
    },
    async handle(given: Address & Static<TObject>, context) {
      const { receiverId, groupId, ...setting } = given;
      const { session, db } = context;
      const { chat } = await seatIn(db, session.userId, given);
      const changed = await db.select(change, [chat.id, session.userId, ...bind(setting as Static<Params>)]);
      if (changed.length > 0)
        await pushToSelf(context, type, { ...addressOf(chat, session.userId), ...setting });
      return {};
    },
  });
}

/** Pushes to the other connections of the connected user. */
export async function pushToSelf(
  { session: { userId }, origin, bus, db }: CommandContext,
  type: string,
  fields: Fields,
): Promise<void> {
  const frame = encodePush(type, null, nameOf(await activeUser(db, userId)), { senderId: userId, ...fields });
  bus.publish(userTopic(userId), { frame, except: origin });
}

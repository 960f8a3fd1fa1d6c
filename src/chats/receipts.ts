import type { CommandContext } from '../commands/define.ts';
import { ApiError } from '../errors.ts';
import { type Acting, actingIn } from './acting.ts';
import { pushToChat, pushToSelf } from './publish.ts';
import { type ChatAddress, ownStateOf } from './seats.ts';

/**
 * Moves a position of the connected user in a chat up to `seq` with the statement `move` ($1 chat, $2 user, $3 `seq`;
 * it returns the new `seq` where there was something to change, and whether the other person is shown it), and pushes it:
 * in a dialog to both people, unless one has blocked the other, in a group only to their own other connections.
 */
export async function moveTo(
  context: CommandContext,
  type: string,
  address: ChatAddress,
  seq: number,
  move: string,
): Promise<Acting['chat']> {
  const { session, changes, db } = context;
  const { userId } = session;
  const { chat, senderName } = await actingIn(db, userId, address);
  if (seq > chat.lastSeq)
    throw new ApiError('BAD_REQUEST', `params.seq must be at most ${chat.lastSeq}, the newest message`);
  await changes.run(ownStateOf(chat, userId), async () => {
    await db.transaction(
      (transaction) => db.select<Moved>(move, [chat.id, userId, seq], transaction),
      ([moved]) => {
        if (!moved) return;
        const push = { type, senderName, fields: { seq: moved.seq } };
        if (chat.kind === 'dialog' && moved.isShown) pushToChat(context, chat, push);
        else pushToSelf(context, chat, push);
      },
    );
  });
  return chat;
}

interface Moved {
  readonly seq: number;
  readonly isShown: boolean;
}

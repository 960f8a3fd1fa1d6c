import { chatKey, chatKeyOf } from '../chatAddress.ts';
import type { Done } from '../events.ts';
import type { Change, ChatAddress, Message, Push } from '../protocol.ts';
import { isMessage, membershipIn, messageFrom } from '../pushes.ts';
import type { ChatList } from './ChatList.ts';
import type { ChatView } from './ChatView.ts';
import type { Context } from './Context.ts';
import { createEffects, type Fields } from './effects.ts';

/** Functions that apply the events of a client to a view. */
export interface Updates {
  /** Applies a push, or a message of this client. */
  push(push: Push): void;
  /** Applies a command of this client that succeeded. */
  done(done: Done): void;
  /** Applies a change that a catch-up found. */
  change(change: Change): void;
}

/** Returns the functions that update the list and the chats that are in use. */
export function createUpdates(
  { client, names }: Context,
  list: ChatList,
  views: ReadonlyMap<string, ChatView>,
): Updates {
  const self = () => client.self?.userId ?? 0;
  const effects = createEffects(list, views, self, renamed);

  return {
    push(push) {
      const key = chatKeyOf(push.params, self());
      if (key && isMessage(push)) {
        const membership = membershipIn(push, self());
        if (membership === 'ends') return end(key);
        if (membership === 'begins') views.get(key)?.restart();
        put(key, messageFrom(push));
        if (membership === 'begins') list.refresh(key);
      }
      effects[push.type]?.(push.params as unknown as Fields);
    },
    done({ type, params, result }) {
      const fields = { userId: self(), ...params, ...result, senderId: self() };
      if (membershipIn({ type, params: fields } as unknown as Push, self()) === 'ends')
        end(chatKey(fields as unknown as ChatAddress));
      effects[type]?.(fields as unknown as Fields);
    },
    change(change) {
      if (change.kind === 'left') end(chatKey(change));
      if (change.kind === 'user') renamed(change.userId, change.username);
      if (change.kind === 'chat') {
        list.changedTo(change);
        views.get(chatKey(change))?.truncate(change.lastSeq);
      }
      if (change.kind === 'message') put(chatKeyOf(change.message, self()), change.message);
    },
  };

  function put(key: string, read: Message): void {
    const message = names.in(read);
    views.get(key)?.put(message);
    list.arrived(key, message);
  }

  function end(key: string): void {
    list.remove(key);
    views.get(key)?.end();
  }

  function renamed(userId: number, name: string): void {
    names.learn(userId, name);
    list.renamed(userId, name);
    for (const view of views.values()) view.renamed();
  }
}

import type { Client } from '../Client.ts';
import { chatKey, FRESH, keyOf } from '../places.ts';
import type { Change, ChatAddress, Message, Push, Result } from '../protocol.ts';
import { ChatList, type ChatSummary, type Chats, type LastMessage } from './ChatList.ts';
import { type Chat, type ChatMessage, ChatView } from './ChatView.ts';
import { createEffects, type Fields } from './effects.ts';
import { type Observable, Store } from './Store.ts';

export type { Chat, ChatMessage, ChatSummary, Chats, LastMessage, Observable };

/** True if somebody is there. */
export type Presence = Result<'getPresence'>['data'][number];

/** What a page shows, kept current. */
export interface View {
  readonly chats: Chats;
  chat(address: ChatAddress): Chat;
  presence(userId: number): Observable<Presence | undefined>;
}

/** Users that one command subscribes to. */
const ASKED_AT_ONCE = 100;

/** A view of what `client` hears of. */
export function createView(client: Client): View {
  const list = new ChatList(client);
  const views = new Map<string, ChatView>();
  const people = new Map<number, { state: Presence | undefined; store: Store<Presence | undefined> }>();
  const asked: number[] = [];
  const self = () => client.self?.userId ?? 0;
  const effects = createEffects(list, views, self);

  const refresh = () => {
    for (const view of views.values()) view.refresh();
  };
  list.subscribe(refresh);
  client.on('state', refresh);
  client.on('push', (push) => heard(push, false));
  client.on('sent', (push) => heard(push, true));
  client.on('done', ({ type, params, result }) =>
    effects[type]?.({ ...params, ...result, senderId: self() } as unknown as Fields),
  );
  client.on('sync', caughtUp);
  client.on('subscribePresence', came);

  return {
    chats: list,
    chat(address) {
      const key = chatKey(address);
      const view = views.get(key) ?? new ChatView(client, address, () => list.get(key));
      views.set(key, view);
      return view;
    },
    presence(userId) {
      const known = people.get(userId);
      if (known) return known.store;
      const person = { state: undefined, store: new Store(() => people.get(userId)?.state) };
      people.set(userId, person);
      if (asked.length === 0) queueMicrotask(ask);
      asked.push(userId);
      return person.store;
    },
  };

  /** Asks about everybody who is looked at in one go. */
  function ask(): void {
    while (asked.length > 0)
      client.call('subscribePresence', { userIds: asked.splice(0, ASKED_AT_ONCE) }).then(
        ({ data }) => data.forEach(came),
        () => {}, // more than a connection may watch: nothing is known of them
      );
  }

  function came({ userId, online, lastSeenAt }: Presence): void {
    const person = people.get(userId);
    if (!person) return;
    person.state = { userId, online, lastSeenAt };
    person.store.changed();
  }

  function heard(push: Push, isOwn: boolean): void {
    const key = keyOf(push.params, self());
    if (key !== undefined && isPlace(push)) {
      views.get(key)?.put(messageFrom(push));
      list.arrived(key, push, isOwn);
    }
    effects[push.type]?.(push.params as unknown as Fields);
  }

  function caughtUp(change: Change): void {
    if (change.kind === 'left') list.remove(chatKey({ groupId: change.groupId }));
    if (change.kind === 'chat') list.changedTo(change);
    if (change.kind !== 'message') return;
    const { message } = change;
    views.get(keyOf(message, self()) ?? '')?.put(message);
    list.lastChanged(message, message);
  }
}

/** What takes a place in a chat has the time when it did. */
function isPlace({ params }: Push): boolean {
  return 'createdAt' in params && 'seq' in params;
}

/** A push as the message that it is about. */
function messageFrom({ type, params }: Push): Message {
  const { data, message, reactions = [], ...fields } = params as Push<'messageInGroup'>['params'];
  const isText = type === 'privateMessage' || type === 'messageInGroup';
  return {
    ...FRESH,
    ...fields,
    kind: isText ? 'text' : 'system',
    content: message,
    // one's own are known of a message that this client has read itself
    reactions: reactions.map((reaction) => ({ own: false, ...reaction })),
    event: isText ? null : { type, ...fields },
  };
}

import { chatKey, chatKeyOf } from '../chatAddress.ts';
import type { Ask } from '../Outbox.ts';
import type { Change, ChatAddress, Message, Push, Result } from '../protocol.ts';
import { isPlace, membershipIn, messageFrom } from '../pushes.ts';
import type { Chat, ChatMessage } from './Chat.ts';
import { ChatList, type Chats } from './ChatList.ts';
import { ChatView } from './ChatView.ts';
import type { ViewedClient } from './Context.ts';
import { createEffects, type Fields } from './effects.ts';
import { Names } from './Names.ts';
import { type Observable, Store } from './Store.ts';
import type { ChatSummary, LastMessage } from './summary.ts';
import { Timers } from './Timers.ts';

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

/** A view of what `client` hears of; `ask` reads by its connection. */
export function createView(client: ViewedClient, ask: Ask): View {
  const timers = new Timers();
  const insist: Ask = (type, params, take) => timers.persist(() => ask(type, params, take));
  const names = new Names();
  const context = { client, ask, insist, names, timers };
  const list = new ChatList(context);
  const views = new Map<string, ChatView>();
  const people = new Map<number, { state: Presence | undefined; store: Store<Presence | undefined> }>();
  const asked: number[] = [];
  const self = () => client.self?.userId ?? 0;
  const effects = createEffects(list, views, self, renamed);

  list.subscribe(() => {
    for (const view of views.values()) view.refresh();
  });
  client.on('state', (state) => {
    if (state === 'closed') timers.end();
    for (const view of views.values()) view.renamed();
  });
  client.on('push', heard);
  client.on('sent', heard);
  client.on('done', ({ type, params, result }) => {
    const fields = { userId: self(), ...params, ...result, senderId: self() };
    const push = { type, params: fields } as unknown as Push;
    if (membershipIn(push, self()) === 'ends') left(chatKey(fields as unknown as ChatAddress));
    effects[type]?.(fields as unknown as Fields);
  });
  client.on('sync', caughtUp);
  client.on('reset', () => {
    list.read().catch(() => {}); // closed
    for (const view of views.values()) view.beginAgain();
  });
  client.on('subscribePresence', came);

  return {
    chats: list,
    chat(address) {
      const key = chatKey(address);
      const view = views.get(key) ?? new ChatView(context, address, () => list.get(key));
      views.set(key, view);
      return view;
    },
    presence(userId) {
      const known = people.get(userId);
      if (known) return known.store;
      const person = { state: undefined, store: new Store(() => people.get(userId)?.state) };
      people.set(userId, person);
      if (asked.length === 0) queueMicrotask(watch);
      asked.push(userId);
      return person.store;
    },
  };

  /** Asks about everybody who is looked at in one go. */
  function watch(): void {
    while (asked.length > 0) {
      const userIds = asked.splice(0, ASKED_AT_ONCE);
      // More than a connection may watch: nothing is known of them.
      insist('subscribePresence', { userIds }, ({ data }) => data.forEach(came)).catch(() => {});
    }
  }

  function came({ userId, online, lastSeenAt }: Presence): void {
    const person = people.get(userId);
    if (!person) return;
    person.state = { userId, online, lastSeenAt };
    person.store.changed();
  }

  function heard(push: Push): void {
    const key = chatKeyOf(push.params, self());
    if (key !== undefined && isPlace(push)) {
      const membership = membershipIn(push, self());
      if (membership === 'ends') return left(key);
      if (membership === 'begins') views.get(key)?.beginAgain();
      put(key, messageFrom(push));
      if (membership === 'begins') list.want(key);
    }
    effects[push.type]?.(push.params as unknown as Fields);
  }

  function put(key: string, read: Message): void {
    const message = names.in(read);
    views.get(key)?.put(message);
    list.arrived(key, message);
  }

  function left(key: string): void {
    list.remove(key);
    views.get(key)?.end();
  }

  function renamed(userId: number, name: string): void {
    names.learn(userId, name);
    list.renamed(userId, name);
    for (const view of views.values()) view.renamed();
  }

  function caughtUp(change: Change): void {
    if (change.kind === 'left') left(chatKey(change));
    if (change.kind === 'user') renamed(change.userId, change.username);
    if (change.kind === 'chat') {
      list.changedTo(change);
      views.get(chatKey(change))?.reaches(change.lastSeq);
    }
    if (change.kind === 'message') put(chatKeyOf(change.message, self()) ?? '', change.message);
  }
}

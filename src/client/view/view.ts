import { chatKey, chatKeyOf } from '../chatAddress.ts';
import type { Ask } from '../Outbox.ts';
import type { Change, ChatAddress, Message, Push } from '../protocol.ts';
import { isPlace, membershipIn, messageFrom } from '../pushes.ts';
import type { Chat, ChatMessage } from './Chat.ts';
import { ChatList, type Chats } from './ChatList.ts';
import { ChatView } from './ChatView.ts';
import type { ViewedClient } from './Context.ts';
import { createEffects, type Fields } from './effects.ts';
import { Names } from './Names.ts';
import { createPresences, type Presence } from './presences.ts';
import type { Observable } from './Store.ts';
import type { ChatSummary, LastMessage } from './summary.ts';
import { Timers } from './Timers.ts';

export type { Chat, ChatMessage, ChatSummary, Chats, LastMessage, Observable, Presence };

/** What a page shows, kept current. */
export interface View {
  readonly chats: Chats;
  chat(address: ChatAddress): Chat;
  presence(userId: number): Observable<Presence | undefined>;
}

/** A view of what `client` hears of; `ask` reads by its connection. */
export function createView(client: ViewedClient, ask: Ask): View {
  const timers = new Timers();
  const insist: Ask = (type, params, take) => timers.persist(() => ask(type, params, take));
  const names = new Names();
  const context = { client, ask, insist, names, timers };
  const list = new ChatList(context);
  const views = new Map<string, ChatView>();
  const self = () => client.self?.userId ?? 0;
  const effects = createEffects(list, views, self, renamed);

  list.subscribe(() => {
    for (const view of views.values()) view.refresh();
  });
  client.on('state', (state) => {
    if (state === 'closed') timers.end();
    for (const view of views.values()) view.renamed();
  });
  client.on('push', take);
  client.on('sent', take);
  client.on('done', ({ type, params, result }) => {
    const fields = { userId: self(), ...params, ...result, senderId: self() };
    const push = { type, params: fields } as unknown as Push;
    if (membershipIn(push, self()) === 'ends') end(chatKey(fields as unknown as ChatAddress));
    effects[type]?.(fields as unknown as Fields);
  });
  client.on('sync', takeChange);
  client.on('reset', () => {
    list.read().catch(() => {}); // closed
    for (const view of views.values()) view.beginAgain();
  });

  return {
    chats: list,
    chat(address) {
      const key = chatKey(address);
      const view = views.get(key) ?? new ChatView(context, address, () => list.get(key));
      views.set(key, view);
      return view;
    },
    presence: createPresences(client, insist),
  };

  function take(push: Push): void {
    const key = chatKeyOf(push.params, self());
    if (key !== undefined && isPlace(push)) {
      const membership = membershipIn(push, self());
      if (membership === 'ends') return end(key);
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

  function end(key: string): void {
    list.remove(key);
    views.get(key)?.end();
  }

  function renamed(userId: number, name: string): void {
    names.learn(userId, name);
    list.renamed(userId, name);
    for (const view of views.values()) view.renamed();
  }

  function takeChange(change: Change): void {
    if (change.kind === 'left') end(chatKey(change));
    if (change.kind === 'user') renamed(change.userId, change.username);
    if (change.kind === 'chat') {
      list.changedTo(change);
      views.get(chatKey(change))?.reaches(change.lastSeq);
    }
    if (change.kind === 'message') put(chatKeyOf(change.message, self()) ?? '', change.message);
  }
}

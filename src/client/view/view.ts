import type { SendRequest } from '../calls.ts';
import { chatKey } from '../chatAddress.ts';
import type { Presence } from '../commands.ts';
import type { ChatAddress } from '../protocol.ts';
import type { Chat, ChatMessage } from './Chat.ts';
import { ChatList, type Chats } from './ChatList.ts';
import { ChatView } from './ChatView.ts';
import type { Context, ViewedClient } from './Context.ts';
import { Names } from './Names.ts';
import { createPresences } from './presences.ts';
import type { Observable } from './Store.ts';
import type { ChatSummary, LastMessage } from './summary.ts';
import { Timers } from './Timers.ts';
import { createUpdates } from './updates.ts';

export type { Chat, ChatMessage, ChatSummary, Chats, LastMessage, Observable, Presence };

/** The current state for a user interface. */
export interface View {
  readonly chats: Chats;
  chat(address: ChatAddress): Chat;
  presence(userId: number): Observable<Presence | undefined>;
}

/** Creates the view of a client, which it reads by `request` and keeps current from the events of the client. */
export function createView(client: ViewedClient, request: SendRequest): View {
  const timers = new Timers();
  const retry: SendRequest = (type, params, take) => timers.retry(() => request(type, params, take));
  const context: Context = { client, request, retry, names: new Names(), timers };
  const list = new ChatList(context);
  const views = new Map<string, ChatView>();
  const updates = createUpdates(context, list, views);

  list.subscribe(() => {
    for (const view of views.values()) view.refresh();
  });
  client.on('state', (state) => {
    if (state === 'closed') timers.end();
    for (const view of views.values()) view.renamed();
  });
  client.on('push', updates.push);
  client.on('sent', updates.push);
  client.on('done', updates.done);
  client.on('sync', updates.change);
  client.on('reset', () => {
    list.read().catch(() => {}); // the client was closed
    for (const view of views.values()) view.restart();
  });

  return {
    chats: list,
    chat(address) {
      const key = chatKey(address);
      const view = views.get(key) ?? new ChatView(context, address, () => list.get(key));
      views.set(key, view);
      return view;
    },
    presence: createPresences(client, retry),
  };
}

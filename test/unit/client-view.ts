import type { SendRequest } from '../../src/client/calls.ts';
import { Emitter } from '../../src/client/Emitter.ts';
import type { Events, State } from '../../src/client/events.ts';
import type { Push } from '../../src/client/index.ts';
import type { ViewedClient } from '../../src/client/view/Context.ts';
import { createView } from '../../src/client/view/view.ts';

export const [ADA, BOB] = [1, 2];

/** The dialog of Ada and Bob, as the server lists it to Ada. */
export const row = {
  id: 109,
  seq: 9,
  version: 0,
  kind: 'text',
  senderId: BOB,
  senderName: 'Bob',
  receiverId: ADA,
  receiverName: 'Ada',
  groupId: null as number | null,
  groupName: null as string | null,
  content: 'Hi',
  createdAt: '2026-01-01T00:00:00Z',
  deletedAt: null,
  unreadCount: 0,
  mentionCount: 0,
  readSeq: 5,
  deliveredSeq: 7,
  markedUnread: false,
  muted: false,
  mutedUntil: null as string | null,
  pinned: false,
  archived: false,
  otherReadSeq: 4,
  otherDeliveredSeq: 6,
};

/** A command of a view, with its params. */
export type Asked = readonly [type: string, params: Record<string, unknown>];

type Answer = (...asked: Asked) => object | Promise<object>;

/** Answers like a server on which there is the one chat, without messages before. */
const withOneChat: Answer = (type) => {
  const data = type === 'listLastMessage' ? [row] : type === 'getChat' ? row : [];
  return { data, more: false };
};

/** Creates the view of Ada, and keeps what it reads (`asked`) and the commands that it calls. */
export function createViewOf(answer: Answer = withOneChat) {
  const events = new Emitter<Events>();
  const [asked, calls]: [Asked[], Asked[]] = [[], []];
  const client = {
    state: 'online' as State,
    self: { userId: ADA, username: 'Ada' },
    now: () => Date.now(),
    call: async (...call: Asked) => {
      calls.push(call);
      return {};
    },
    on: events.on.bind(events),
  };
  const request: SendRequest = async (type, params, take) => {
    const read: Asked = [type, params as Asked[1]];
    asked.push(read);
    return take((await answer(...read)) as never);
  };
  const view = createView(client as unknown as ViewedClient, request);
  const push = (type: string, fields: object) =>
    events.emit('push', {
      type,
      params: { senderId: BOB, senderName: 'Bob', receiverId: ADA, ...fields },
    } as unknown as Push);
  return { view, chat: view.chat({ receiverId: BOB }), client, events, push, calls, asked };
}

/** Creates the view of Ada, and resolves when it has read the chats. */
export async function viewOf(answer?: Answer) {
  const all = createViewOf(answer);
  await all.view.chats.loaded;
  return all;
}

import { WebSocket } from 'ws';
import { type Client, connect } from '../../../src/client/node.ts';
import { pause, until, within } from '../../support/until.ts';
import type { Person, World } from './world.ts';

/** A field that differs between the long-lived client and a fresh one. */
export interface Difference {
  /** The path of the field, which begins with the name of the user. */
  readonly path: string;
  readonly shown: unknown;
  readonly right: unknown;
}

/** Milliseconds in which a fresh client must have read everything; a busy machine needs some of them. */
const READ_WITHIN = 15_000;
/** Milliseconds after which a fresh client is replaced. */
const FRESH_FOR = 500;
const LOOK_AGAIN_AFTER = 15;

/** Returns the differences that remain after some milliseconds without a fault; nothing as soon as there are none. */
export async function compare(world: World, bound: number): Promise<Difference[]> {
  const present = [...world.people.values()].filter(({ isGone }) => !isGone);
  return (await Promise.all(present.map((person) => comparePerson(world, person, bound)))).flat();
}

async function comparePerson(world: World, person: Person, bound: number): Promise<Difference[]> {
  const { site } = world;
  let deadline = Date.now() + bound;
  let { disturbances } = site;
  for (;;) {
    const fresh = freshClient(world, person);
    let found: Difference[] = [{ path: `${person.name}.fresh`, shown: 'nothing', right: 'a fresh client' }];
    try {
      const isThere = await within(look(fresh, person), READ_WITHIN);
      const until = Date.now() + FRESH_FOR;
      while (isThere) {
        found = differences(person.name, stateOf(person.client, person), stateOf(fresh, person));
        if (found.length === 0) return [];
        if (Date.now() > until) break;
        await pause(LOOK_AGAIN_AFTER);
      }
    } finally {
      fresh.close();
    }
    await site.whole();
    if (site.disturbances !== disturbances) deadline = Date.now() + bound;
    else if (Date.now() > Math.max(deadline, site.repairedBy)) return found;
    ({ disturbances } = site);
  }
}

/** A client that only reads: it does not report the delivery of messages. */
function freshClient({ site }: World, { user }: Person): Client {
  return connect({
    url: site.urls[0],
    token: user.token,
    open(url, token) {
      const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
      const send = socket.send.bind(socket);
      socket.send = (frame: string) => {
        if (!frame.startsWith('{"type":"markDelivered"')) send(frame);
      };
      return socket;
    },
  });
}

/** Resolves when the client has read everything that the user has opened. */
async function look(fresh: Client, { client, opened, watched }: Person): Promise<true> {
  const { chats } = fresh;
  const presences = [...watched].map((userId) => fresh.presence(userId));
  await fresh.online();
  await chats.loaded;
  for (const address of opened.values()) {
    const chat = fresh.chat(address);
    chat.messages;
    await chat.loadOlder(firstSeq(client, address)).catch(() => {}); // not a member
  }
  await until(() => presences.every(({ value }) => value), READ_WITHIN);
  return true;
}

type Address = Parameters<Client['chat']>[0];

const firstSeq = (client: Client, address: Address): number | undefined =>
  client.chat(address).messages.value.find(({ seq }) => seq > 0)?.seq;

/** Returns the state of a client for a user, as far back as the long-lived client has read. */
function stateOf(client: Client, person: Person): object {
  const chats = [...person.opened].map(([name, address]) => {
    const chat = client.chat(address);
    const first = firstSeq(person.client, address) ?? 0;
    const all = chat.messages.value.filter(({ status }) => status !== 'failed'); // known only to the client itself
    const messages = all.filter(({ seq }) => seq >= first || seq === 0);
    return [
      name,
      {
        messages: messages.map(({ key, ...message }) => message), // keys differ between clients
        hasOlder: chat.hasOlder || messages.length < all.length,
        summary: chat.summary.value,
        typing: chat.typing.value,
      },
    ] as const;
  });
  return {
    self: client.self,
    chats: client.chats.value,
    chat: Object.fromEntries(chats),
    presence: Object.fromEntries([...person.watched].map((id) => [id, client.presence(id).value])),
  };
}

/** Returns the paths below which two values differ. */
function differences(path: string, shown: unknown, right: unknown): Difference[] {
  if (Object.is(shown, right)) return [];
  if (!isObject(shown) || !isObject(right)) return [{ path, shown, right }];
  if (Array.isArray(shown) && Array.isArray(right) && shown.length !== right.length)
    return [{ path: `${path}.length`, shown: shown.map(brief), right: right.map(brief) }];
  const names = new Set([...Object.keys(shown), ...Object.keys(right)]);
  return [...names].flatMap((name) => differences(`${path}.${name}`, shown[name], right[name]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Returns the key that identifies an element of a list. */
function brief(value: unknown): unknown {
  const { key, seq, content } = (isObject(value) ? value : {}) as Record<string, unknown>;
  return key ?? (seq === undefined ? value : `${seq} ${content}`);
}

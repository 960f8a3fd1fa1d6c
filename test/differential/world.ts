import type { Params, Result } from '../../src/client/index.ts';
import {
  type ChatAddress,
  type Client,
  type ClientOptions,
  type CommandName,
  ParleyError,
} from '../../src/client/node.ts';
import { connect as connectRaw } from '../client.ts';
import { newUser, type User } from '../harness.ts';
import { type Relay, startRelay } from '../relay.ts';
import { pause } from '../until.ts';

import { connectDevice, type Device } from './device.ts';
import type { Site } from './site.ts';

export const PEOPLE = ['Ada', 'Bob', 'Cleo', 'Dan'] as const;
export type Name = (typeof PEOPLE)[number];
export const GROUPS = ['group 1', 'group 2', 'group 3'] as const;
export type Slot = (typeof GROUPS)[number];
/** A dialog by the other person, or a group. */
export type ChatName = Name | Slot;

/** Lines that are no good: much happens while a page comes, and several frames come in one go. */
const LINES: Partial<Record<Name, Parameters<typeof startRelay>[1]>> = {
  Bob: { pause: 30 },
  Cleo: { rate: 100_000 },
};
/** Milliseconds after which a device that is still offline looks for its network once more. */
const WAKE_EVERY = 100;
/** Milliseconds in which every command has to be answered once nothing is broken. */
const ANSWERED_WITHIN = 30_000;

/** A message that somebody got an answer about. */
export interface Known {
  readonly author: Name;
  readonly messageId: number;
  readonly seq: number;
}

export type LineState = 'open' | 'cut' | 'held';

/** Somebody with a client that lives as long as the world, and a second device. */
export interface Person {
  readonly name: Name;
  readonly user: Omit<User, 'connect'>;
  /** As it is now. */
  username: string;
  readonly client: Client;
  readonly second: Client;
  readonly devices: readonly Device[];
  /** The line of the client. */
  readonly line: Relay;
  lineState: LineState;
  /** Ends with the last change of it. */
  lineChange: Promise<void>;
  /** Where somebody has written of late. */
  readonly typesIn: Map<string, ChatAddress>;
  /** The chats that were opened, by their key. */
  readonly opened: Map<ChatName, ChatAddress>;
  readonly watched: Set<number>;
  /** The account was deleted. */
  isGone: boolean;
}

/** A socket of a client, made by the test so that it can be looked into. */
export type Open = NonNullable<ClientOptions['open']>;

/** People, what they have written, and what is under way. */
export class World {
  readonly site: Site;
  readonly people: ReadonlyMap<Name, Person>;
  readonly groups = new Map<Slot, number>();
  /** Who made each group. */
  readonly owners = new Map<Slot, Name>();
  readonly invites = new Map<Slot, string>();
  /** Commands that were answered as none may be. */
  readonly faults: string[] = [];
  readonly #messages = new Map<string, Known[]>();
  readonly #pending = new Map<Promise<unknown>, string>();

  private constructor(site: Site, people: readonly Person[]) {
    this.site = site;
    this.people = new Map(people.map((person) => [person.name, person]));
    for (const person of people)
      for (const client of [person.client, person.second])
        client.on('done', ({ params, result }) => this.#note(person, { ...params, ...result }));
  }

  /** `open` makes the sockets of the clients that live long. */
  static async create(site: Site, open?: Open): Promise<World> {
    await site.whole();
    const people = await Promise.all(
      PEOPLE.map(async (name, index): Promise<Person> => {
        const at = (device: number) => site.urls[(index + device) % site.urls.length] as string;
        const user = await newUser();
        const line = await startRelay(at(0), LINES[name]);
        const first = connectDevice({ url: line.url, token: user.token, ...(open && { open }) });
        const second = connectDevice({ url: at(1), token: user.token });
        if (name !== 'Dan') first.client.chats; // he looks later, the others from the first moment on
        return {
          ...{ name, user, username: user.username, line, isGone: false },
          ...{ client: first.client, second: second.client, devices: [first, second] },
          ...{ lineState: 'open', lineChange: Promise.resolve() },
          ...{ opened: new Map(), watched: new Set(), typesIn: new Map() },
        };
      }),
    );
    const world = new World(site, people);
    const [ada, bob, cleo] = people as [Person, Person, Person];
    await Promise.all(people.flatMap(({ client, second }) => [client.online(), second.online()]));
    const ids = (...members: Person[]) => members.map(({ user }) => user.id);
    await Promise.all([
      world.newGroup(ada, ada.second, 'group 1', { groupName: 'one', userIds: ids(bob, cleo) }),
      world.newGroup(bob, bob.second, 'group 2', {
        ...{ groupName: 'two', userIds: ids(ada), isPrivate: false, historyFrom: 'joining' },
      }),
      world.call(ada, ada.second, 'privateMessage', { receiverId: bob.user.id, content: 'Hello' }),
      world.call(cleo, cleo.second, 'privateMessage', { receiverId: ada.user.id, content: 'Hello' }),
    ]);
    return world;
  }

  person(name: Name): Person {
    return this.people.get(name) as Person;
  }

  /** How a person names a chat; undefined for a group that nobody made. */
  address(name: ChatName): ChatAddress | undefined {
    const groupId = this.groups.get(name as Slot);
    if (groupId !== undefined) return { groupId };
    const person = this.people.get(name as Name);
    return person && { receiverId: person.user.id };
  }

  /** A message of a chat, so many before the newest; undefined where none is known. */
  message(person: Person, chat: ChatName, back: number): Known | undefined {
    const address = this.address(chat);
    const all = (address && this.#messages.get(recordOf(person.user.id, address))) ?? [];
    return all[all.length - 1 - (back % all.length)];
  }

  /** Runs a command; what is refused is refused, but for refusals that are nobody's right. */
  async call<Type extends CommandName>(
    { name, isGone }: Person,
    client: Client,
    type: Type,
    params: Params<Type>,
  ): Promise<Result<Type> | undefined> {
    if (isGone) return undefined;
    return this.during(
      `${name}: ${type} ${JSON.stringify(params)}`,
      client.call(type, ...([params] as never)),
    );
  }

  /** Waits for something under a name by which it is told when it never ends. */
  async during<Value>(what: string, promise: Promise<Value>): Promise<Value | undefined> {
    this.#pending.set(promise, what);
    try {
      return await promise;
    } catch (error) {
      const isRefusal =
        error instanceof ParleyError && error.code !== 'INTERNAL' && error.code !== 'BAD_REQUEST';
      if (!isRefusal) this.faults.push(`${what} was answered ${error}`);
      return undefined;
    } finally {
      this.#pending.delete(promise);
    }
  }

  async newGroup(person: Person, client: Client, slot: Slot, params: Params<'newGroup'>): Promise<void> {
    const made = await this.call(person, client, 'newGroup', params);
    if (!made) return;
    this.groups.set(slot, made.groupId);
    this.owners.set(slot, person.name);
  }

  /** Writes messages over a connection of their own, without waiting for one before the next. */
  burst(person: Person, address: ChatAddress, contents: readonly string[]): Promise<unknown> {
    const burst = async () => {
      const raw = await connectRaw(this.site.urls[0], person.user.token).catch(() => undefined);
      if (!raw) return; // the node is away
      const type = address.groupId === undefined ? 'privateMessage' : 'messageInGroup';
      const ids = contents.map((content) => raw.send(type, { ...address, content }));
      const replies = Promise.allSettled(ids.map((id) => raw.reply(id)));
      for (const reply of (await Promise.race([replies, raw.closed.then(() => [])])) ?? [])
        if (reply.status === 'fulfilled') this.#note(person, { ...address, ...reply.value.params });
      await raw.close();
    };
    return this.during(`${person.name}: burst`, burst());
  }

  /** Mends the lines, and resolves when all is answered and everybody online; otherwise to what is not. */
  async settle(): Promise<string | undefined> {
    await this.site.whole();
    const present = [...this.people.values()].filter(({ isGone }) => !isGone);
    const all = [...this.people.values()];
    await Promise.all(all.map((person) => this.setLine(person, 'open')));
    const devices = all.flatMap((person) => person.devices);
    const waking = setInterval(() => {
      for (const { client, wake } of devices) if (client.state === 'offline') wake();
    }, WAKE_EVERY);
    const settled = (async () => {
      while (this.#pending.size > 0) await Promise.allSettled(this.#pending.keys());
      await Promise.all(present.flatMap(({ client, second }) => [client.online(), second.online()]));
      const stops = present.flatMap((person) =>
        [...person.typesIn.values()].map((address) =>
          this.call(person, person.second, 'typing', { ...address, typing: false }),
        ),
      );
      await Promise.all(stops);
      for (const { typesIn } of present) typesIn.clear();
      return true;
    })();
    const isSettled = await Promise.race([settled.catch(() => false), pause(ANSWERED_WITHIN)]);
    clearInterval(waking);
    if (isSettled) return undefined;
    const states = present.map(({ name, client, second }) => `${name} ${client.state}, ${second.state}`);
    return `${[...this.#pending.values()].join('; ')} is not answered; ${states.join('; ')}`;
  }

  /** Cuts or holds the line of somebody, or opens it again; one change after another. */
  setLine(person: Person, state: LineState): Promise<void> {
    const { line } = person;
    person.lineChange = person.lineChange.then(async () => {
      if (person.lineState === state) return;
      if (person.lineState === 'cut') await line.restore();
      if (person.lineState === 'held') line.release();
      if (state === 'cut') await line.cut();
      if (state === 'held') line.hold();
      person.lineState = state;
    });
    return person.lineChange;
  }

  async close(): Promise<void> {
    const people = [...this.people.values()];
    for (const { client, second } of people) {
      client.close();
      second.close();
    }
    await Promise.all(people.map((person) => this.setLine(person, 'cut')));
  }

  /** Remembers what a reply says of a message that was stored. */
  #note(person: Person, fields: Partial<Known> & { createdAt?: string }): void {
    const { messageId, seq, createdAt } = fields;
    if (!messageId || !seq || !createdAt) return;
    const key = recordOf(person.user.id, fields as Partial<ChatAddress>);
    const all = this.#messages.get(key) ?? [];
    this.#messages.set(key, [...all, { author: person.name, messageId, seq }]);
  }
}

/** One name for a chat, whoever names it. */
function recordOf(
  userId: number,
  { groupId, receiverId }: Partial<Record<keyof ChatAddress, number>>,
): string {
  return groupId === undefined ? `dialog ${[userId, receiverId].sort()}` : `group ${groupId}`;
}

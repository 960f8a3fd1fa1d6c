import type { Params, Result } from '../../../src/client/index.ts';
import {
  type ChatAddress,
  type Client,
  type ClientOptions,
  type CommandName,
  ParleyError,
} from '../../../src/client/node.ts';
import { connect as connectRaw } from '../../support/client.ts';
import { newUser, type User } from '../../support/harness.ts';
import { type Relay, startRelay } from '../../support/relay.ts';
import { within } from '../../support/until.ts';

import { connectDevice, type Device } from './device.ts';
import type { Site } from './site.ts';

export const PEOPLE = ['Ada', 'Bob', 'Cleo', 'Dan'] as const;
export type Name = (typeof PEOPLE)[number];
export const GROUPS = ['group 1', 'group 2', 'group 3'] as const;
export type Slot = (typeof GROUPS)[number];
/** A dialog, named by the other user, or a group. */
export type ChatName = Name | Slot;

/** Slow lines: much happens while a page arrives, and several frames arrive in one chunk. */
const LINES: Partial<Record<Name, Parameters<typeof startRelay>[1]>> = {
  Bob: { pause: 30 },
  Cleo: { rate: 100_000 },
};
/** Milliseconds after which a device that is still offline checks its network again. */
const WAKE_EVERY = 100;
/** Milliseconds in which every command must be answered once there is no fault. */
const ANSWERED_WITHIN = 30_000;

/** A message that a reply has confirmed. */
export interface Known {
  readonly author: Name;
  readonly messageId: number;
  readonly seq: number;
}

export type LineState = 'open' | 'cut' | 'held';

/** A user with a client that lives as long as the world, and a second device. */
export interface Person {
  readonly name: Name;
  readonly user: Omit<User, 'connect'>;
  /** The current name. */
  username: string;
  readonly client: Client;
  readonly second: Client;
  readonly devices: readonly Device[];
  /** The line of the client. */
  readonly line: Relay;
  lineState: LineState;
  /** Resolves after the last change of the line. */
  lineChange: Promise<void>;
  /** The chats with recent messages. */
  readonly typesIn: Map<string, ChatAddress>;
  /** The chats that were opened, by their key. */
  readonly opened: Map<ChatName, ChatAddress>;
  readonly watched: Set<number>;
  /** The account was deleted. */
  isGone: boolean;
}

/** A socket of a client, created by the test so that it can inspect the frames. */
export type Open = NonNullable<ClientOptions['open']>;

/** The users, their messages, and the running commands. */
export class World {
  readonly site: Site;
  readonly people: ReadonlyMap<Name, Person>;
  readonly groups = new Map<Slot, number>();
  /** The creator of each group. */
  readonly owners = new Map<Slot, Name>();
  readonly invites = new Map<Slot, string>();
  /** Commands with an answer that must never occur. */
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

  /** `open` opens the sockets of the long-lived clients. */
  static async create(site: Site, open?: Open): Promise<World> {
    await site.whole();
    const people = await Promise.all(
      PEOPLE.map(async (name, index): Promise<Person> => {
        const at = (device: number) => site.urls[(index + device) % site.urls.length] as string;
        const user = await newUser();
        const line = await startRelay(at(0), LINES[name]);
        const first = connectDevice({ url: line.url, token: user.token, ...(open && { open }) });
        const second = connectDevice({ url: at(1), token: user.token });
        if (name !== 'Dan') first.client.chats; // he reads later, the others from the start
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

  /** Returns the address of a chat for a user; undefined for a group that was not created. */
  address(name: ChatName): ChatAddress | undefined {
    const groupId = this.groups.get(name as Slot);
    if (groupId !== undefined) return { groupId };
    const person = this.people.get(name as Name);
    return person && { receiverId: person.user.id };
  }

  /** Returns a message of a chat at a distance from the newest; undefined if none is known. */
  message(person: Person, chat: ChatName, back: number): Known | undefined {
    const address = this.address(chat);
    const all = (address && this.#messages.get(recordOf(person.user.id, address))) ?? [];
    return all[all.length - 1 - (back % all.length)];
  }

  /** Runs a command; ignores refusals, except those that must never occur. */
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

  /** Waits for a promise under a name that is reported if it never settles. */
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

  /** Sends messages over a connection of their own, without waiting for the replies. */
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

  /** Repairs the lines; resolves when all commands are answered and all clients are online, or to the failing ones. */
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
    const { site } = this;
    let isSettled: boolean | undefined;
    let disturbances: number;
    do {
      await site.whole();
      ({ disturbances } = site);
      isSettled = await within(
        settled.catch(() => false),
        ANSWERED_WITHIN,
      );
    } while (!isSettled && site.disturbances !== disturbances); // by another world
    clearInterval(waking);
    if (isSettled) return undefined;
    const states = present.map(({ name, client, second }) => `${name} ${client.state}, ${second.state}`);
    return `${[...this.#pending.values()].join('; ')} is not answered; ${states.join('; ')}`;
  }

  /** Cuts or holds the line of a user, or opens it again; one change after another. */
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

  /** Remembers a stored message from its reply. */
  #note(person: Person, fields: Partial<Known> & { createdAt?: string }): void {
    const { messageId, seq, createdAt } = fields;
    if (!messageId || !seq || !createdAt) return;
    const key = recordOf(person.user.id, fields as Partial<ChatAddress>);
    const all = this.#messages.get(key) ?? [];
    this.#messages.set(key, [...all, { author: person.name, messageId, seq }]);
  }
}

/** Returns the key of a chat, the same for all its members. */
function recordOf(
  userId: number,
  { groupId, receiverId }: Partial<Record<keyof ChatAddress, number>>,
): string {
  return groupId === undefined ? `dialog ${[userId, receiverId].sort()}` : `group ${groupId}`;
}

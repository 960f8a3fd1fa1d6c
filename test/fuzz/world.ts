import { expect } from 'chai';
import fc from 'fast-check';
import { registry } from '../../src/commands/registry.ts';
import type { Client } from '../support/client.ts';
import { connectAs, http, newGroup, newUsers, type User } from '../support/harness.ts';
import { expectAnswer, isRight } from './answers.ts';
import { json, type Known } from './json.ts';

/** A connection of a user who logs in again after another connection has ended it. */
class Caller {
  readonly #user: User;
  #token: string;
  #client: Client | undefined;
  #calls = 0;

  constructor(user: User) {
    this.#user = user;
    this.#token = user.token;
  }

  get client(): Client {
    if (!this.#client) throw new Error('the user is not connected');
    return this.#client;
  }

  async connect(): Promise<Client> {
    this.#client = await connectAs(this.#token).catch(async () => connectAs(await this.logIn()));
    return this.#client;
  }

  async logIn(): Promise<string> {
    const { username, password } = this.#user;
    const { body } = await http('POST', '/auth/login', { body: { username, password } });
    this.#token = body.token;
    return this.#token;
  }

  /** Calls with params as JSON, and compares the answer with the schemas of the command. */
  async call(type: string, params: string): Promise<void> {
    const id = `call ${++this.#calls}`;
    const { closed, socket } = this.client;
    socket.send(`{"type":"${type}","id":"${id}","params":${params}}`);
    const answer = await Promise.race([this.client.reply(id), closed]);
    if (answer === ENDED) return;
    expectAnswer(answer, `${type} ${params}`);
    const command = registry.get(type);
    const what = `${type} ${params} was answered ${JSON.stringify(answer)}`.slice(0, 5_000);
    if (!isRight(command?.params, JSON.parse(params))) expect(answer.code, what).to.equal('BAD_REQUEST');
    if (answer.success) expect(isRight(command?.result, answer.params), what).to.equal(true);
  }

  async reconnect(): Promise<void> {
    const state = await Promise.race([this.client.closed, this.client.call('ping')]);
    if (state === ENDED) await this.connect();
    else expect(state.success).to.equal(true);
  }
}

/** Close codes of a connection that `endSession` or `endOtherSessions` has ended. */
const ENDED = 4401;

/** The first and the last are the same user, with a token for each connection. */
let callers: readonly [Caller, Caller, Caller, Caller] | undefined;
let people: readonly [User, User, User];
let worlds = 0;

/** Groups, messages and other things that params may name, of the same users each time. */
export async function newWorld() {
  if (!callers) {
    people = await newUsers(3);
    const [ada, bob, eve] = people;
    callers = [new Caller(ada), new Caller(bob), new Caller(eve), new Caller(ada)];
    await callers[3].logIn();
  }
  const [ada, bob, eve] = people;
  const [a, b, e] = (await Promise.all(callers.map((caller) => caller.connect()))) as [
    Client,
    Client,
    Client,
  ];

  const unblocked = [a, b, e].flatMap((client) =>
    people.map(({ id }) => client.call('unblockUser', { userId: id })),
  );
  await Promise.all(unblocked);
  const open = e.done('newGroup', { groupName: `open to whatever comes in, ${++worlds}`, isPrivate: false });
  const groups = await Promise.all([
    newGroup(a, bob, eve),
    newGroup(a, bob),
    newGroup(b, ada),
    open.then(({ groupId }) => groupId as number),
  ]);

  const write = async (client: Client, type: string, to: object) =>
    (await client.done(type, { content: `to @${ada.username}`, ...to })).messageId as number;
  const [first] = groups;
  const thread = await write(a, 'messageInGroup', { groupId: first, custom: { a: [1] } });
  const messages = await Promise.all([
    thread,
    ...[a, b].map((client) => write(client, 'messageInGroup', { groupId: first, replyTo: thread })),
    ...[a, b].map((client) => write(client, 'messageInGroup', { groupId: groups[1] })),
    write(a, 'privateMessage', { receiverId: bob.id }),
    write(b, 'privateMessage', { receiverId: ada.id }),
    write(b, 'privateMessage', { receiverId: eve.id }),
  ]);
  const [{ data: invite }, { data: sessions }] = await Promise.all([
    a.done('createInvite', { groupId: groups[1] }),
    a.done('listSessions', { limit: 5 }),
  ]);

  const lists: [type: string, params: object][] = [
    ['listUsers', { limit: 1 }],
    ['listGroupMembers', { groupId: first, limit: 1 }],
    ['getThread', { messageId: thread, limit: 1 }],
    ['searchMessages', { query: 'to', order: 'relevance', limit: 1 }],
    ['sync', { limit: 1 }],
    ['sync', { fromNow: true }],
  ];
  const pages = await Promise.all(lists.map(([type, params]) => a.done(type, params)));
  // the search index may not have enough messages yet for a second page
  const cursors = fc.constantFrom(...pages.flatMap(({ nextCursor }): string[] => nextCursor ?? []));
  const userId = fc.constantFrom(ada.id, bob.id, eve.id);
  const messageId = fc.constantFrom(...messages);
  const known = {
    ...{ userId, receiverId: userId, senderId: userId, userIds: userId },
    ...{ messageId, replyTo: messageId },
    groupId: fc.constantFrom(...groups),
    ...{ seq: fc.integer({ min: 1, max: 10 }), ifSeq: fc.integer({ min: 0, max: 10 }) },
    ...{ inviteId: fc.constant(invite.inviteId), code: fc.constant(invite.code) },
    sessionId: fc.constantFrom(...sessions.map(({ sessionId }: { sessionId: number }) => sessionId)),
    cursor: fc.oneof(cursors, fc.tuple(cursors, fc.nat(), cursorPart).map(forged)),
  } as Known;
  return { callers, known };
}

/** JSON, or a snapshot as in the cursors of `sync`. */
const cursorPart = fc.oneof(
  json,
  fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.bigInt({ min: 0n, max: 10n ** 18n }))
    .map(([min, more]) => `"${min}:${min + more}:"`),
);

/** Bytes of the signature at the start of a cursor. */
const SIGNATURE = 16;

/** A cursor with one part replaced, and its former signature. */
function forged([cursor, offset, part]: [cursor: string, offset: number, part: string]): string {
  const bytes = Buffer.from(cursor, 'base64url');
  const parts: string[] = JSON.parse(String(bytes.subarray(SIGNATURE))).map((own: unknown) =>
    JSON.stringify(own),
  );
  parts[offset % (parts.length + 1)] = part;
  return Buffer.concat([bytes.subarray(0, SIGNATURE), Buffer.from(`[${parts}]`)]).toString('base64url');
}

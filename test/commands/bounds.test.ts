import { expect } from 'chai';
import { pino } from 'pino';
import { Type } from 'typebox';
import type { CommandName } from '../../src/client/protocol.ts';
import { type Command, defineCommand } from '../../src/commands/define.ts';
import { ping } from '../../src/commands/ping.ts';
import { commands } from '../../src/commands/registry.ts';
import type { ServiceServices } from '../../src/commands/service/context.ts';
import type { UserId } from '../../src/ids.ts';
import { defaultLimits, PAGE_BYTES, REPLY_BYTES } from '../../src/limits.ts';
import { createMetrics, type Readings } from '../../src/observability/metrics.ts';
import { Connection } from '../../src/socket/Connection.ts';
import { createDispatcher } from '../../src/socket/dispatcher.ts';
import type { Socket } from '../../src/socket/SocketConnection.ts';
import type { Client, Frame } from '../support/client.ts';
import { connectAs, database, newClients } from '../support/harness.ts';
import { id } from '../support/ids.ts';
import { type Largest, newLargest, WORD } from '../support/largest.ts';
import { newScene, type Scene } from '../support/scene.ts';
import * as on from '../support/scene-params.ts';
import { until } from '../support/until.ts';

/** The bound of a reply, in bytes. */
const SINGLE = 64 * 1024;
/** The rows of a page. */
const limit = 100;
/** The bytes of the rows of a page, and of the fields around them. */
const PAGE = PAGE_BYTES + 4 * 1024;

interface Measured {
  readonly bound: number;
  /** The least size in bytes for the largest data, without which the test would prove nothing. */
  readonly least: number;
  readonly client: (world: World) => Client;
  readonly params: (world: World) => object | Promise<object>;
  /** Of a list with a cursor. */
  readonly rows?: Rows;
}

/** The rows of a list: the property that tells them apart, and their number. */
interface Rows {
  readonly key: string;
  readonly count: number | ((world: World) => Promise<number>);
}

interface World extends Largest {
  readonly client: Client;
  readonly scene: Scene;
}

/** A list that stops early, and continues with its cursor or `more`. */
const page = (params: (world: World) => object, key?: string, count: Rows['count'] = limit): Measured => ({
  ...{ bound: PAGE, least: PAGE_BYTES / 2, params },
  client: ({ client }) => client,
  ...(key !== undefined && { rows: { key, count } }),
});
/** A list whose full page is below the bound of one. */
const shortPage = (...list: Parameters<typeof page>): Measured => ({ ...page(...list), least: 10_000 });
/** A list by page number, which cannot stop early. */
const numbered = (params: (world: World) => object): Measured => ({
  ...page(params),
  ...{ bound: REPLY_BYTES, least: REPLY_BYTES / 2 },
});
/** One of the largest objects. */
const one = (params: (world: World) => object): Measured => ({
  ...page(params),
  bound: SINGLE,
  least: 5_000,
});
/** A reply whose size does not depend on the data. */
const small = (params: on.Build = () => ({})): Measured => ({
  ...{ bound: 1024, least: 0, params: ({ scene }) => params(scene) },
  client: ({ scene }) => scene.actor.client,
});

const inGroup = ({ groupId }: Largest) => ({ groupId, limit });
const ofMessage = ({ messageId }: Largest) => ({ messageId, limit });
const profile = { about: '\u0001'.repeat(500), avatar: '\u0001'.repeat(500) };
const settings = { description: '\u0001'.repeat(1000), custom: { x: 'x'.repeat(4000) } };

/** Returns the number of sessions of the user. Each test opens one, which `listSessions` records before it answers. */
async function sessions({ id }: World): Promise<number> {
  const [found] = await database.query<{ count: number }>(
    'select count(*) from sessions where user_id = $1',
    [id],
  );
  return found?.count ?? 0;
}

const table: Readonly<Record<CommandName, Measured>> = {
  listLastMessage: numbered(() => ({ limit })),
  getlatestMessageDialog: numbered(({ receiverId }) => ({ receiverId, limit })),
  getlatestMessageGroup: numbered(inGroup),
  newGroup: small(() => ({ groupName: 'New' })),
  addUserInGroup: small(on.member('guest')),
  leaveGroup: small(on.ownGroup),
  messageInGroup: small(on.group({ content: '\u0001'.repeat(4000) })),
  privateMessage: small(on.dialog({ content: '\u0001'.repeat(4000) })),

  getChat: one(({ groupId }) => ({ groupId })),
  getMessages: page(inGroup),
  getMessagesAround: page(ofMessage),
  getMessage: one(({ messageId }) => ({ messageId })),
  getThread: page(ofMessage, 'seq', 99),
  editMessage: {
    ...small(on.ownMessage('group', { content: '\u0001'.repeat(4000), custom: { x: 'x'.repeat(4000) } })),
    ...{ bound: SINGLE, least: 4_000 },
  },
  listEdits: page(ofMessage, 'version', 101),
  deleteMessage: small(on.ownMessage('group')),
  addReaction: small(on.message('group', { emoji: '👍' })),
  removeReaction: small(on.message('group', { emoji: '👍' })),
  pinMessage: small(on.message('group')),
  unpinMessage: small(on.message('group')),
  listPins: page(inGroup, 'seq'),
  forwardMessage: {
    ...small(async (scene) => {
      const [content, custom] = ['\u0001'.repeat(4000), { x: 'x'.repeat(4000) }];
      await database.messages.update({ content, custom }, { where: { id: scene.group.messageId } });
      return on.both(on.message('group'), on.dialog())(scene);
    }),
    ...{ bound: SINGLE, least: 24_000 },
  },
  reportMessage: small(on.message('group', { reason: '\u0001'.repeat(500) })),
  sendEvent: small(on.group({ event: 'wave', custom: { x: 'x'.repeat(4000) } })),

  markRead: small(on.group({ seq: 1 })),
  markDelivered: small(on.group({ seq: 1 })),
  getReceipts: shortPage(ofMessage, 'userId'),
  markUnread: small(on.group()),
  muteChat: small(on.group({ muted: true })),
  archiveChat: small(on.group({ archived: true })),
  pinChat: small(on.group({ pinned: true })),
  typing: small(on.group({ typing: true })),

  searchMessages: page(({ groupId }) => ({ query: WORD, groupId, limit }), 'messageId'),
  sync: page(() => ({ limit: 1000 })),

  getGroup: one(({ groupId }) => ({ groupId })),
  listGroups: page(({ custom }) => ({ custom, limit }), 'groupId', 98),
  updateGroup: { ...small(on.group(settings)), bound: SINGLE },
  deleteGroup: small(on.ownGroup),
  joinGroup: small(on.group()),
  listGroupMembers: shortPage(inGroup, 'userId', 101),
  setMemberRole: small(on.member('friend', { role: 'admin' })),
  transferOwnership: small(async (scene) => ({ ...(await on.ownGroup(scene)), userId: scene.owner.id })),
  removeUserFromGroup: small(on.member('friend')),
  banUser: small(on.member('guest', { reason: '\u0001'.repeat(500) })),
  unbanUser: small(on.banned),
  createInvite: small(on.group()),
  listInvites: shortPage(inGroup, 'inviteId'),
  revokeInvite: small(on.invite),
  joinByInvite: small(on.inviteCode),

  getProfile: one(() => ({})),
  updateProfile: { ...small(() => profile), bound: SINGLE },
  searchUsers: page(({ custom }) => ({ query: '𠀀', custom, limit }), 'userId', 101),
  listUsers: page(({ custom }) => ({ custom, limit }), 'userId', 101),
  blockUser: small(on.friend),
  unblockUser: small(on.friend),
  listBlockedUsers: shortPage(() => ({ limit }), 'userId', 99),

  getPresence: { ...page(({ userIds }) => ({ userIds })), bound: SINGLE, least: 4_000 },
  subscribePresence: { ...page(({ userIds }) => ({ userIds })), bound: SINGLE, least: 4_000 },
  unsubscribePresence: small(on.people),
  setPresence: small(() => ({ invisible: true })),

  listSessions: shortPage(() => ({ limit }), 'sessionId', sessions),
  endSession: small(on.ownSession),
  endOtherSessions: small(),
  ping: small(),
};

/** Resolves to a reply that must be a success, and its bytes on the wire. */
async function measure(client: Client, type: string, params: object) {
  let bytes = 0;
  const id = client.send(type, params);
  const listen = (data: Buffer) => {
    const frame: Frame = JSON.parse(String(data));
    if (frame.id === id) bytes = data.length;
  };
  client.socket.on('message', listen);
  const reply = await client.reply(id);
  client.socket.off('message', listen);
  expect(reply.success, JSON.stringify(reply).slice(0, 500)).to.equal(true);
  return { bytes, params: reply.params };
}

/** Reads a list to its end; resolves to its pages. */
async function pagesOf(client: Client, type: string, params: object): Promise<Record<string, unknown>[][]> {
  const pages: Record<string, unknown>[][] = [];
  for (let cursor: string | undefined; cursor || pages.length === 0; ) {
    const { data, nextCursor } = await client.done(type, { ...params, ...(cursor && { cursor }) });
    pages.push(data);
    cursor = nextCursor ?? undefined;
  }
  return pages;
}

describe('the largest legal data', function () {
  this.timeout(60_000);
  let largest: Largest;

  before(async () => {
    largest = await newLargest();
  });

  async function newWorld(): Promise<World> {
    const scene = await newScene('owner');
    return { ...largest, client: await connectAs(largest.token), scene };
  }

  for (const { type } of commands)
    it(`stays within the bound of a reply of ${type}`, async () => {
      const { bound, least, client, params } = table[type];
      const world = await newWorld();
      if (type === 'searchMessages') await whenIndexed(world);
      const { bytes } = await measure(client(world), type, await params(world));
      expect(bytes).to.be.within(least, bound);
    });

  it('is returned completely by pages that end early, in both directions', async () => {
    const { groupId, token } = largest;
    const client = await connectAs(token);
    const seqs = (data: { seq: number }[]) => data.map(({ seq }) => seq);
    const [up, down]: number[][] = [[], []];
    for (let more = true; more; ) {
      const page = await client.done('getMessages', { groupId, afterSeq: up?.at(-1) ?? 0, limit });
      up?.push(...seqs(page.data));
      more = page.more;
    }
    for (let more = true; more; ) {
      const before = down?.[0] === undefined ? {} : { beforeSeq: down[0] };
      const page = await client.done('getMessages', { groupId, ...before, limit });
      down?.unshift(...seqs(page.data));
      more = page.more;
    }
    const all = Array.from({ length: 100 }, (_, n) => n + 1);
    expect(up).to.deep.equal(all);
    expect(down).to.deep.equal(all);
  });

  for (const { type, params } of commands) {
    if (!('cursor' in params.properties) || type === 'sync') continue;
    it(`is returned completely and once by the pages of ${type}`, async () => {
      const { rows, params } = table[type];
      if (!rows) return expect.fail('the row in the table names no key and number of its rows');
      const world = await newWorld();
      const { key, count } = rows;
      const asked = await params(world);
      for (const size of [limit, 30]) {
        const pages = await pagesOf(world.client, type, { ...asked, limit: size });
        const expected = typeof count === 'number' ? count : await count(world);
        const keys = pages.flat().map((row) => row[key]);
        expect(pages.length).to.be.at.least(Math.ceil(expected / size));
        expect([keys.length, new Set(keys).size]).to.deep.equal([expected, expected]);
      }
    });
  }

  it('is returned completely and once by sync, in pages within their bound', async () => {
    const client = await connectAs(largest.token);
    const messages: number[] = [];
    const chats: string[] = [];
    let pages = 0;
    for (let cursor: string | undefined, more = true; more; pages++) {
      const { bytes, params } = await measure(client, 'sync', { ...(cursor && { cursor }), limit: 1000 });
      expect(bytes).to.be.at.most(PAGE);
      for (const change of params.data)
        if (change.kind === 'message') messages.push(change.message.messageId);
        else chats.push(`${change.groupId}/${change.receiverId}`);
      cursor = params.nextCursor;
      more = params.more;
    }
    expect(pages).to.be.above(20);
    expect([messages.length, new Set(messages).size]).to.deep.equal([298, 298]);
    expect([chats.length, new Set(chats).size]).to.deep.equal([100, 100]);
  });
});

const whenIndexed = ({ client, groupId }: World) =>
  until(async () => {
    const { data } = await client.done('searchMessages', { query: WORD, groupId, limit: 1 });
    return data.length > 0;
  });

describe('a reply over its bound', () => {
  it('fails that one command with INTERNAL and keeps the connection open', async () => {
    const [ada, bob] = await newClients(2);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'x' });
    const content = 'x'.repeat(REPLY_BYTES); // no command writes this
    await database.messages.update({ content }, { where: { id: messageId } });
    const before = ada.client.send('ping');
    const reply = await ada.client.call('getMessage', { messageId });
    expect(reply.code).to.equal('INTERNAL');
    expect(reply.message).to.match(/^The server failed on this request \(\d+\.\d+\)$/);
    expect((await ada.client.reply(before)).success).to.equal(true);
    expect(await ada.client.done('ping')).to.include({ data: null });
  });
});

describe('a reply that cannot be encoded', () => {
  it('fails that one command with INTERNAL, is logged with its request id, and does not stop the next command', async () => {
    const frames: Frame[] = [];
    const session = {
      userId: id<UserId>(1),
      tokenVersion: 1,
      tokenId: 'token',
      since: 0,
      issuedAt: 0,
      expiresAt: 0,
    };
    const take = (frame: unknown) => frames.push(JSON.parse(String(frame)));
    const connection = new Connection(id(1), session, '127.0.0.1', null, (_, frame) => take(frame));
    connection.open({
      send: take,
      subscribe: () => true,
      getBufferedAmount: () => 0,
    } as unknown as Socket);
    const facts = { repeatable: true, storesMessage: false, ordered: true, cost: 1 } as const;
    const shared = { params: Type.Object({}), result: Type.Object({}), errors: [], summary: '', ...facts };
    const broken = [
      defineCommand({ ...shared, type: 'bigint', handle: async () => ({ data: 1n }) }),
      defineCommand({ ...shared, type: 'nothing', handle: () => Promise.reject() }),
      defineCommand({
        ...shared,
        type: 'getter',
        handle: async () => ({
          get data() {
            throw new Error('no data');
          },
        }),
      }),
    ];
    const logged: { requestId: string }[] = [];
    const log = pino({}, { write: (line) => logged.push(JSON.parse(line)) });
    const all = [...broken, ping].map((command): [string, Command] => [command.type, command]);
    const services = { limits: defaultLimits, log } as ServiceServices;
    const options = { metrics: createMetrics(noReadings), tracing: undefined, isLimited: false };
    const registries = { commands: new Map(all), serviceCommands: new Map() };
    const receiver = createDispatcher(registries, services, options)(connection);

    for (const [type] of all) receiver.onFrame(JSON.stringify({ type, id: type }));
    await until(() => frames.length === all.length);
    expect(frames.map(({ id, code }) => [id, code])).to.deep.equal([
      ['bigint', 'INTERNAL'],
      ['nothing', 'INTERNAL'],
      ['getter', 'INTERNAL'],
      ['ping', undefined],
    ]);
    expect(logged.map(({ requestId }) => requestId)).to.deep.equal(['0.1', '0.2', '0.3']);
  });
});

const noReadings: Readings = {
  connections: () => 0,
  users: () => 0,
  writerQueue: () => 0,
  searchLag: () => 0,
  heavyWaiting: () => 0,
  searchStalled: () => 0,
  poolUse: () => ({}),
  certificateUntil: () => undefined,
  webhooks: () => ({ lag: 0, paused: 0 }),
  nats: () => undefined,
};

import { expect } from 'chai';
import type { Client, Frame } from '../support/client.ts';
import { natsIsConnected, useCluster } from '../support/cluster.ts';
import { database, databaseUrl, http, newUsers, startServer, type User } from '../support/harness.ts';
import type { ServerProcess } from '../support/process.ts';
import { type Relay, startRelay } from '../support/relay.ts';
import { until } from '../support/until.ts';

/** A change that Ada makes on the node that is killed. */
interface Case {
  /** A text in a statement of the transaction, by which it is known. */
  readonly statement: string;
  change(scene: Scene): void;
  /** The user whose client on another node has to know: Bob if not given. */
  readonly witness?: 'ada' | 'bob';
  /** Returns true if the client of the witness finds the change after it has connected again. */
  found(client: Client, scene: Scene, changes: Frame[]): Promise<boolean> | boolean;
}

interface Scene {
  readonly ada: User;
  readonly bob: User;
  /** Ada on the node that is killed. */
  readonly a: Client;
  /** The witness on another node, and its cursor. */
  readonly client: Client;
  readonly cursor: string;
  /** A dialog with a message of Ada and one of Bob, and a group with a message of Ada. */
  readonly messageId: number;
  readonly groupId: number;
  readonly groupMessageId: number;
}

/** The node that is killed. */
let doomed: ServerProcess;

const messageIn = (changes: Frame[], id: number) =>
  changes.find(({ kind, message }) => kind === 'message' && message.messageId === id)?.message;
const dialogIn = (changes: Frame[], userId: number) =>
  changes.find(({ kind, receiverId }) => kind === 'chat' && receiverId === userId);
const groupIn = (changes: Frame[], id: number) =>
  changes.find(({ kind, groupId }) => kind === 'chat' && groupId === id);

const cases: Record<string, Case> = {
  'an edit': {
    statement: 'insert into message_edits',
    change: ({ a, messageId }) => a.send('editMessage', { messageId, content: 'edited' }),
    found: (_, { messageId }, changes) => messageIn(changes, messageId)?.content === 'edited',
  },
  'a deletion': {
    statement: 'deleted_at = clock_timestamp()',
    change: ({ a, messageId }) => a.send('deleteMessage', { messageId }),
    found: (_, { messageId }, changes) => messageIn(changes, messageId)?.deletedAt !== null,
  },
  'a reaction in a group': {
    statement: 'insert into reactions',
    change: ({ a, groupMessageId }) => a.send('addReaction', { messageId: groupMessageId, emoji: '👍' }),
    found: (_, { groupMessageId }, changes) => messageIn(changes, groupMessageId)?.reactions?.length === 1,
  },
  'a pinned message': {
    statement: '"pins"',
    change: ({ a, messageId }) => a.send('pinMessage', { messageId }),
    found: async (client, { ada, messageId }, changes) =>
      messageIn(changes, messageId) !== undefined &&
      (await client.done('listPins', { receiverId: ada.id })).data.length === 1,
  },
  'a position': {
    statement: 'read_tally',
    change: ({ a, bob }) => a.send('markRead', { receiverId: bob.id, seq: 2 }),
    found: (_, { ada }, changes) => dialogIn(changes, ada.id)?.otherReadSeq === 2,
  },
  'a setting of a dialog': {
    statement: 'pinned_at',
    witness: 'ada',
    change: ({ a, bob }) => a.send('pinChat', { receiverId: bob.id, pinned: true }),
    found: (_, { bob }, changes) => dialogIn(changes, bob.id)?.pinned === true,
  },
  'a setting of a group': {
    statement: 'muted_until',
    witness: 'ada',
    change: ({ a, groupId }) => a.send('muteChat', { groupId, muted: true }),
    found: (_, { groupId }, changes) => groupIn(changes, groupId)?.muted === true,
  },
  'a profile': {
    statement: 'UPDATE "users"',
    change: ({ a }) => a.send('updateProfile', { displayName: 'Ada L.' }),
    found: async (client, { ada }) =>
      (await client.done('getProfile', { userId: ada.id })).data.displayName === 'Ada L.',
  },
  'a new username': {
    statement: 'UPDATE "users"',
    change: ({ ada: { token, username } }) => {
      const body = { username: `new-${username}` };
      http('PATCH', '/users/me', { url: doomed.url, token, body }).catch(() => {}); // its node is killed
    },
    found: (_, { ada }, changes) =>
      changes.some(({ kind, username }) => kind === 'user' && username === `new-${ada.username}`),
  },
  'a block': {
    statement: 'insert into blocks',
    witness: 'ada',
    change: ({ a, bob }) => a.send('blockUser', { userId: bob.id }),
    found: async (client) => (await client.done('listBlockedUsers')).data.length === 1,
  },
};

const silence = `
update nodes set beat_at = beat_at - interval '10 seconds'
where id = (select node_id from sessions where user_id = $1 order by id limit 1)
`;
const publishedXid = `
select published_xid > $2::xid8 as "isPublished", published_xid::text as xid, beat_at as "beatAt" from nodes
where id = (select node_id from sessions where user_id = $1 order by id limit 1)
`;
interface NodeRow {
  readonly isPublished: boolean;
  readonly xid: string;
  readonly beatAt: Date;
}

async function nodeOf(user: User, xid = '0'): Promise<NodeRow | undefined> {
  return (await database.query<NodeRow>(publishedXid, [user.id, xid]))[0];
}

/** Resolves when the node of a user has noted that everything up to now is published. */
async function untilPublished(user: User): Promise<void> {
  const [now] = await database.query<{ xid: string }>('select pg_current_xact_id()::text as xid', []);
  await until(async () => (await nodeOf(user, now?.xid))?.isPublished === true);
}

/** Kills a node, on which a user is connected, and has the others notice it. */
async function kill(node: ServerProcess, user: User): Promise<void> {
  await node.stop('SIGKILL');
  await database.execute(silence, [user.id]);
}

async function changesSince(client: Client, cursor: string): Promise<Frame[]> {
  return (await client.done('sync', { cursor })).data;
}

describe('the death of a node', function () {
  this.timeout(120_000);
  const cluster = useCluster(1);

  describe('between the commit of changes and their publication', () => {
    let toDatabase: Relay;
    /** The frames that arrived at the client of a user whose chats did not change, until all others were closed. */
    let atBystander: Frame[];
    const scenes = new Map<Case, Scene & { readonly code: number }>();

    async function prepare({ witness }: Case): Promise<Scene> {
      const [ada, bob] = await newUsers(2);
      const [a, there, b] = [
        await ada.connect(doomed.url),
        await cluster.on(ada, 0),
        await cluster.on(bob, 0),
      ];
      const { messageId } = await a.done('privateMessage', { receiverId: bob.id, content: 'from Ada' });
      await b.done('privateMessage', { receiverId: ada.id, content: 'from Bob' });
      const { groupId } = await a.done('newGroup', { groupName: 'Climbers', userIds: [bob.id] });
      const { messageId: groupMessageId } = await a.done('messageInGroup', { groupId, content: 'for all' });
      const client = witness === 'ada' ? there : b;
      await client.push('messageInGroup');
      const { nextCursor: cursor } = await client.done('sync', { fromNow: true });
      return { ada, bob, a, client, cursor, messageId, groupId, groupMessageId };
    }

    before(async function () {
      this.timeout(120_000);
      toDatabase = await startRelay(databaseUrl());
      doomed = await cluster.startProcess({ DATABASE_URL: toDatabase.url, DATABASE_POOL_SIZE: '40' });
      const [first, eve, fay] = await newUsers(3);
      const [bystander, other] = [await cluster.on(eve, 0), await cluster.on(fay, 0)];
      await other.done('privateMessage', { receiverId: eve.id, content: 'long before' });
      await bystander.push('privateMessage');
      await (await first.connect(doomed.url)).done('listSessions');
      const prepared = await Promise.all(
        Object.values(cases).map(async (one) => [one, await prepare(one)] as const),
      );
      await untilPublished(first);
      for (const [one, scene] of prepared) {
        // The answer to the commit is held: the node never knows it, and publishes nothing.
        const committed = toDatabase.holdAnswerTo('COMMIT', one.statement);
        one.change(scene);
        await committed;
      }
      await kill(doomed, first);
      await toDatabase.cut();
      for (const [one, scene] of prepared) scenes.set(one, { ...scene, code: await scene.client.closed });
      await other.done('privateMessage', { receiverId: eve.id, content: 'Still there?' });
      await bystander.push('privateMessage');
      atBystander = await bystander.rest();
    });

    for (const [what, one] of Object.entries(cases))
      it(`closes the connection with 1012 that does not know ${what}, which it finds then`, async () => {
        const scene = scenes.get(one);
        if (!scene) throw new Error('the change was not made');
        expect(scene.code).to.equal(1012);
        const user = one.witness === 'ada' ? scene.ada : scene.bob;
        const again = await cluster.on(user, 0);
        const changes = await changesSince(again, scene.cursor);
        expect(await one.found(again, scene, changes), JSON.stringify(changes)).to.equal(true);
      });

    it('leaves a connection open whose chats have not changed', () => {
      expect(atBystander).to.deep.equal([]);
    });
  });

  it('closes the connections that do not know a change it made after it had lost NATS', async () => {
    const toNats = await startRelay(cluster.nats.url);
    const node = await cluster.startProcess({ NATS_URL: toNats.url });
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(node.url), await cluster.on(bob, 0)];
    const { messageId } = await a.done('privateMessage', { receiverId: bob.id, content: 'first' });
    await untilPublished(ada);
    await toNats.cut();
    await natsIsConnected(node, false);
    await a.done('editMessage', { messageId, content: 'edited' });
    for (let beats = 0; beats < 3; beats++) {
      const before = await nodeOf(ada);
      await until(async () => (await nodeOf(ada))?.beatAt.getTime() !== before?.beatAt.getTime());
    }
    await kill(node, ada);
    expect(await b.closed).to.equal(1012);
  });
});

describe('a node that stops', () => {
  const cluster = useCluster(0);

  it('is not taken for dead: it has published everything', async () => {
    const node = await startServer({ NATS_URL: cluster.nats.url });
    const [ada] = await newUsers(1);
    await (await ada.connect(node.url)).done('listSessions');
    await node.stop();
    expect(await nodeOf(ada)).to.equal(undefined);
  });

  it('is found dead by the others if it has no way to them', async () => {
    const toNats = await startRelay(cluster.nats.url);
    const node = await startServer({ NATS_URL: toNats.url });
    await natsIsConnected(node);
    const [ada] = await newUsers(1);
    await (await ada.connect(node.url)).done('listSessions');
    await toNats.cut();
    await natsIsConnected(node, false);
    await node.stop();
    expect(await nodeOf(ada)).to.not.equal(undefined);
  });
});

import { expect } from 'chai';
import { chatTopic, type Topic, userTopic } from '../../src/bus/topics.ts';
import type { ChatId, UserId } from '../../src/ids.ts';
import { Connection } from '../../src/socket/Connection.ts';
import { ConnectionRegistry } from '../../src/socket/ConnectionRegistry.ts';
import { Newcomers } from '../../src/socket/Newcomers.ts';
import { type Push, pushToSockets } from '../../src/socket/pushToSockets.ts';
import type { Socket } from '../../src/socket/SocketConnection.ts';
import { takeSlice } from '../../src/socket/slices.ts';
import { id } from '../support/ids.ts';

const [ADA, BOB, EVE] = [id<UserId>(1), id<UserId>(2), id<UserId>(3)];
const GROUP: ChatId = id(7);

/** A connection with this id of a user from an address. */
function newConnection(number: number, userId: UserId, address = '192.0.2.1'): Connection {
  const session = { userId, tokenVersion: 1, tokenId: 'token', since: 0, issuedAt: 0, expiresAt: 0 };
  return new Connection(id(number), session, address, null, () => {});
}

/** A node with three people on a topic, and the frames that the socket of each connection gets. */
function newNode(topic: Topic, isSingle = true) {
  const connections = new ConnectionRegistry();
  const frames = new Map<number, string[]>();
  const subscribed = new Set<number>();
  for (const userId of [ADA, BOB, EVE]) {
    const connection = newConnection(10 * userId, userId);
    const socket = {
      subscribe: () => subscribed.add(connection.id),
      unsubscribe: () => subscribed.delete(connection.id),
      publish: (_: Topic, frame: Buffer) => send(frame, connection.id),
    };
    connection.open(socket as unknown as Socket);
    connections.add(connection);
    frames.set(connection.id, []);
    subscribed.add(connection.id);
  }
  function send(frame: Buffer, except?: number): void {
    for (const one of subscribed) if (one !== except) frames.get(one)?.push(frame.toString());
  }
  const native = { isSingle, publish: (_: string, frame: Buffer) => send(frame) };
  return {
    connections,
    /** Returns the users who get a push. */
    push(push: Push, excluded: Connection[] = [], subscribers = 3): number[] {
      pushToSockets(native, connections, topic, subscribers, push, excluded);
      expect(subscribed).to.deep.equal(new Set([10, 20, 30])); // also those who did not get it
      return [...frames].filter(([, own]) => own.length > 0).map(([connection]) => connection / 10);
    },
  };
}

describe('a push', () => {
  for (const isSingle of [true, false]) {
    const where = isSingle ? 'one app' : 'several apps';

    it(`reaches all sockets of its topic in ${where}`, () => {
      expect(newNode(chatTopic(GROUP), isSingle).push({ frame: 'hi' })).to.deep.equal([ADA, BOB, EVE]);
    });

    it(`does not reach the connection that caused it in ${where}`, () => {
      expect(newNode(chatTopic(GROUP), isSingle).push({ frame: 'hi', except: id(10) })).to.deep.equal([
        BOB,
        EVE,
      ]);
    });

    it(`does not reach excluded users and connections in ${where}`, () => {
      const node = newNode(chatTopic(GROUP), isSingle);
      const eve = node.connections.ofUser(EVE);
      expect(node.push({ frame: 'hi', except: id(10), exceptUsers: [BOB] }, [...eve])).to.deep.equal([]);
    });
  }

  it('reaches all where the connection that caused it is gone', () => {
    expect(newNode(chatTopic(GROUP)).push({ frame: 'hi', except: id(99) })).to.deep.equal([ADA, BOB, EVE]);
  });

  it('reaches nobody where the connection that caused it is the only one of its user', () => {
    const node = newNode(userTopic(ADA));
    expect(node.push({ frame: 'hi', except: id(10) }, [], 1)).to.deep.equal([]);
  });
});

describe('the registry of connections', () => {
  it('finds connections by id and user, and counts those of a network', () => {
    const registry = new ConnectionRegistry();
    const [one, other] = [newConnection(1, ADA, '2001:db8::1'), newConnection(2, ADA, '2001:db8::2')];
    for (const connection of [one, other]) registry.add(connection);
    expect(registry.ofUser(ADA)).to.deep.equal([one, other]);
    expect([registry.size, registry.users, registry.countOfUser(ADA)]).to.deep.equal([2, 1, 2]);
    expect(registry.countOfNetwork('2001:db8::/64')).to.equal(2);
    expect(registry.delete(one)).to.equal(true);
    expect([
      registry.get(id(1)),
      registry.get(id(2)),
      registry.countOfNetwork('2001:db8::/64'),
    ]).to.deep.equal([undefined, other, 1]);
  });

  it('deletes a connection once', () => {
    const registry = new ConnectionRegistry();
    const [one, other] = [newConnection(1, ADA), newConnection(2, ADA)];
    for (const connection of [one, other]) registry.add(connection);
    expect([registry.delete(one), registry.delete(one)]).to.deep.equal([true, false]);
    expect([registry.countOfUser(ADA), registry.countOfNetwork('192.0.2.1')]).to.deep.equal([1, 1]);
  });

  it('iterates over users with connections that receive pushes, and no others', () => {
    const registry = new ConnectionRegistry();
    const all = [ADA, BOB, EVE].map((userId) => newConnection(userId, userId));
    const [ada, bob] = all as [Connection, Connection];
    for (const connection of all) registry.add(connection);
    ada.snapshot = '1:1:';
    bob.snapshot = '1:1:';
    bob.startClosing();
    expect([...registry.following()]).to.deep.equal([[ADA, [ada]]]);
  });
});

describe('newcomers of a group', () => {
  it('are excluded from messages before the one they joined with', () => {
    const newcomers = new Newcomers();
    const [ada, bob] = [newConnection(1, ADA), newConnection(2, BOB)];
    for (const [connection, firstSeq] of [
      [ada, 5],
      [bob, 9],
    ] as const) {
      connection.groups.set(GROUP, firstSeq);
      newcomers.add(connection, GROUP, firstSeq);
    }
    expect([4, 5, 8, 9].map((seq) => newcomers.excludedFrom(GROUP, seq).map(({ id }) => id))).to.deep.equal([
      [1, 2],
      [2],
      [2],
      [],
    ]);
    expect(newcomers.excludedFrom(id(8), 1)).to.deep.equal([]);
  });

  it('are excluded although another one who joined earlier connected after them', () => {
    const newcomers = new Newcomers();
    const [ada, bob] = [newConnection(1, ADA), newConnection(2, BOB)];
    for (const [connection, firstSeq] of [
      [bob, 9],
      [ada, 5],
    ] as const) {
      connection.groups.set(GROUP, firstSeq);
      newcomers.add(connection, GROUP, firstSeq);
    }
    expect(newcomers.excludedFrom(GROUP, 8)).to.deep.equal([bob]);
  });

  it('are not excluded any more once they are deleted', () => {
    const newcomers = new Newcomers();
    const ada = newConnection(1, ADA);
    ada.groups.set(GROUP, 5);
    newcomers.add(ada, GROUP, 5);
    newcomers.delete(ada, GROUP);
    newcomers.delete(ada, GROUP);
    expect(newcomers.excludedFrom(GROUP, 1)).to.deep.equal([]);
  });
});

describe('a slice of users', () => {
  /** Users, each with a connection that is in so many groups. */
  function* usersIn(groups: number, count: number) {
    for (let number = 1; number <= count; number++) {
      const userId = id<UserId>(number);
      const connection = newConnection(number, userId);
      for (let chatId = 1; chatId <= groups; chatId++) connection.groups.set(id(chatId), 1);
      yield [userId, [connection]] as const;
    }
  }

  it('has at most five hundred of them, and the next begins behind it', () => {
    const users = usersIn(0, 600);
    expect([takeSlice(users), takeSlice(users), takeSlice(users)].map(({ length }) => length)).to.deep.equal([
      500, 100, 0,
    ]);
  });

  it('has fewer where they are in many groups, and at least one', () => {
    expect(takeSlice(usersIn(1_000, 10)).length).to.equal(5);
    expect(takeSlice(usersIn(6_000, 2)).length).to.equal(1);
  });
});

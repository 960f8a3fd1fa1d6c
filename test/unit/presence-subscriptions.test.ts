import { expect } from 'chai';
import { presenceTopic, type Topic } from '../../src/bus/topics.ts';
import type { UserId } from '../../src/ids.ts';
import { Connection } from '../../src/socket/Connection.ts';
import { ConnectionRegistry } from '../../src/socket/ConnectionRegistry.ts';
import { PresenceSubscriptions } from '../../src/socket/PresenceSubscriptions.ts';
import type { Socket } from '../../src/socket/SocketConnection.ts';
import { TopicSubscriptions } from '../../src/socket/TopicSubscriptions.ts';
import { id } from '../support/ids.ts';

const [ADA, BOB, EVE, DAN]: readonly [UserId, UserId, UserId, UserId] = [id(1), id(2), id(3), id(4)];

/** A connection of Ada on a node, the topics that its socket and the node are subscribed to, and what was called. */
function newNode() {
  const bus = new Set<Topic>();
  const socket = new Set<string>();
  const calls: string[] = [];
  const topics = new TopicSubscriptions(
    {
      subscribe(topic) {
        bus.add(topic);
        return () => bus.delete(topic);
      },
    },
    () => {},
  );
  const connections = new ConnectionRegistry();
  const session = { userId: ADA, tokenVersion: 1, tokenId: 'token', since: 0, issuedAt: 0, expiresAt: 0 };
  const connection = new Connection(id(1), session, '127.0.0.1', null, () => {});
  connections.add(connection);
  connection.open({
    subscribe: (topic: string) => socket.add(topic),
    unsubscribe: (topic: string) => socket.delete(topic),
  } as unknown as Socket);
  const presence = new PresenceSubscriptions({ isShared: false }, topics, connections, {
    hidden: (_, userId) => calls.push(`hidden ${userId}`),
    shown: (_, userIds) => calls.push(`shown ${userIds}`),
  });
  /** Returns the users whose presence the socket and the node receive. */
  const received = () => {
    expect([...socket].sort()).to.deep.equal([...bus].sort());
    return [BOB, EVE, DAN].filter((userId) => bus.has(presenceTopic(userId)));
  };
  return { presence, connection, connections, received, calls };
}

describe('subscriptions to presence', () => {
  it('begin when users are shown, each once, and end with the watch', () => {
    const { presence, connection, received } = newNode();
    expect(presence.watch(connection, [BOB, EVE], 3)).to.equal(true);
    expect([received(), presence.mayBeWatched(BOB)]).to.deep.equal([[], false]);
    expect(presence.show(connection, [BOB, EVE, DAN])).to.deep.equal([BOB, EVE]); // Dan is not watched
    expect(presence.show(connection, [BOB])).to.deep.equal([]);
    expect([received(), presence.mayBeWatched(BOB)]).to.deep.equal([[BOB, EVE], true]);
    presence.unwatch(connection.id, [BOB, DAN]);
    expect(received()).to.deep.equal([EVE]);
    presence.unwatch(connection.id);
    expect([received(), connection.watching]).to.deep.equal([[], undefined]);
  });

  it('are up to a limit, which users count for once, hidden ones too', () => {
    const { presence, connection } = newNode();
    expect(presence.watch(connection, [BOB, EVE, DAN], 2)).to.equal(false);
    expect(connection.watching).to.equal(undefined);
    expect(presence.watch(connection, [BOB, EVE], 2)).to.equal(true);
    presence.show(connection, [BOB]);
    expect(presence.watch(connection, [EVE, BOB], 2)).to.equal(true);
    expect(presence.watch(connection, [DAN], 2)).to.equal(false);
    presence.unwatch(connection.id, [EVE]); // which was hidden
    expect(presence.watch(connection, [DAN], 2)).to.equal(true);
  });

  it('pause while a block hides a user, and not longer', () => {
    const { presence, connection, received, calls } = newNode();
    presence.watch(connection, [BOB, EVE], 10);
    presence.show(connection, [BOB, EVE]);
    presence.hide(connection, BOB);
    presence.hide(connection, BOB);
    presence.hide(connection, DAN); // not watched
    expect([received(), calls]).to.deep.equal([[EVE], ['hidden 2']]);
    presence.setHidden(connection, new Set([EVE]));
    expect([received(), calls]).to.deep.equal([[BOB], ['hidden 2', 'hidden 3', 'shown 2']]);
    presence.setHidden(connection, new Set([EVE]));
    expect(calls).to.have.length(3);
    presence.unwatch(connection.id, [EVE]);
    presence.setHidden(connection, new Set());
    expect([received(), calls.length]).to.deep.equal([[BOB], 3]);
  });

  it('end with the connection, and begin for no connection without a socket', () => {
    const { presence, connection, connections, received } = newNode();
    presence.watch(connection, [BOB, EVE], 10);
    presence.show(connection, [BOB]);
    connections.delete(connection);
    presence.unwatch(connection.id); // which is not there any more
    expect(received()).to.deep.equal([BOB]);
    connection.removed();
    presence.remove(connection);
    expect([presence.mayBeWatched(BOB), presence.show(connection, [EVE])]).to.deep.equal([false, []]);
  });
});

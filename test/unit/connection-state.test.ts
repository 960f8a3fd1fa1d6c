import { expect } from 'chai';
import { CloseCode } from '../../src/protocol/closeCodes.ts';
import { Connection } from '../../src/socket/Connection.ts';
import { drainConnections } from '../../src/socket/drain.ts';
import type { Receiver, Socket } from '../../src/socket/SocketConnection.ts';
import { claims } from '../support/claims.ts';
import { id } from '../support/ids.ts';

/** A connection, and a list of the calls that its socket and its receiver get. */
function newConnection(unanswered = 0) {
  const calls: string[] = [];
  const published: string[] = [];
  const connection = new Connection(id(1), claims, '127.0.0.1', null, (topic, frame) =>
    published.push(`${topic} ${frame}`),
  );
  const socket = {
    end: (code: number, reason: string) => calls.push(`end ${code} ${reason}`),
    close: () => calls.push('close'),
    send: (frame: Buffer) => calls.push(`send ${frame}`),
    subscribe: () => true,
    getBufferedAmount: () => 5,
  } as unknown as Socket;
  const receiver: Receiver = {
    onFrame() {},
    onBinary() {},
    onDrain() {},
    onDisconnect() {},
    stop: () => calls.push('stop'),
    revoke: () => calls.push('revoke'),
    unanswered: () => unanswered,
  };
  return { connection, socket, receiver, calls, published };
}

function newOpenConnection(unanswered = 0) {
  const made = newConnection(unanswered);
  made.connection.open(made.socket);
  made.connection.receiver = made.receiver;
  return made;
}

describe('the life cycle of a connection', () => {
  it('goes from admitting over open and closing to closed', () => {
    const { connection, socket } = newConnection();
    const states = [connection.state];
    connection.open(socket);
    states.push(connection.state);
    connection.startClosing();
    states.push(connection.state);
    connection.close(CloseCode.ServiceRestart, 'restart');
    states.push(connection.state);
    expect(states).to.deep.equal(['admitting', 'open', 'closing', 'closed']);
  });

  it('keeps closing while its socket opens, where it has to synchronise before', () => {
    const { connection, socket } = newConnection();
    connection.startClosing();
    connection.open(socket);
    expect([connection.state, connection.socket]).to.deep.equal(['closing', socket]);
  });

  it('refuses to open twice', () => {
    const { connection, socket } = newOpenConnection();
    expect(() => connection.open(socket)).to.throw('connection 1 is open and cannot open');
  });

  it('refuses to open once it is closed, whichever way it was closed', () => {
    for (const end of [
      (connection: Connection) => connection.close(CloseCode.Unauthorized, 'revoked'),
      (connection: Connection) => connection.cut(),
      (connection: Connection) => connection.dropped(),
      (connection: Connection) => connection.removed(),
    ]) {
      const { connection, socket } = newConnection();
      end(connection);
      expect(() => connection.open(socket)).to.throw('connection 1 is closed and cannot open');
    }
  });

  it('refuses to start closing twice, or once it is closed', () => {
    const { connection } = newOpenConnection();
    connection.startClosing();
    expect(() => connection.startClosing()).to.throw('is closing and cannot start closing');
    connection.cut();
    expect(() => connection.startClosing()).to.throw('is closed and cannot start closing');
  });

  it('follows its chats once it is subscribed and until it starts closing', () => {
    const { connection, socket } = newConnection();
    expect([connection.isSubscribed, connection.isFollowing]).to.deep.equal([false, false]);
    connection.snapshot = '1:1:';
    expect([connection.isSubscribed, connection.isFollowing]).to.deep.equal([true, true]);
    connection.open(socket);
    expect(connection.isFollowing).to.equal(true);
    connection.startClosing();
    expect([connection.isSubscribed, connection.isFollowing]).to.deep.equal([true, false]);
  });

  it('stops its commands when the server closes it, and revokes them with its token', () => {
    const restarted = newOpenConnection();
    restarted.connection.close(CloseCode.ServiceRestart, 'restart');
    expect(restarted.calls).to.deep.equal(['stop', 'end 1012 restart']);
    const revoked = newOpenConnection();
    revoked.connection.close(CloseCode.Unauthorized, 'revoked');
    expect(revoked.calls).to.deep.equal(['stop', 'revoke', 'end 4401 revoked']);
  });

  it('revokes also what a connection asked for that the library is about to close', () => {
    const { connection, calls } = newOpenConnection();
    connection.dropped();
    connection.close(CloseCode.Unauthorized, 'revoked');
    expect(calls).to.include('revoke');
  });

  it('leaves the commands of a client that closes it to run', () => {
    const { connection, calls } = newOpenConnection();
    connection.removed();
    expect([connection.state, connection.socket, calls]).to.deep.equal(['closed', undefined, []]);
  });

  it('sends nothing without a socket', () => {
    const { connection, calls, published } = newConnection();
    connection.close(CloseCode.Unauthorized, 'revoked');
    connection.send('x'.repeat(20_000));
    expect(connection.publish('user:7', Buffer.from('frame'))).to.equal(false);
    expect([calls, published, connection.waitingBytes]).to.deep.equal([[], [], 0]);
  });

  it('sends the first frame of a turn at once, and the others by its own topic', async () => {
    const { connection, calls, published } = newOpenConnection();
    await new Promise(setImmediate);
    for (const frame of ['one', 'two', 'three']) connection.send(frame);
    expect(calls).to.deep.equal(['send one']);
    expect(published).to.deep.equal(['connection:1 two', 'connection:1 three']);
  });

  it('sends a large frame at once, so that it is known how much waits for the client', async () => {
    const { connection, calls, published } = newOpenConnection();
    await new Promise(setImmediate);
    const large = 'x'.repeat(16 * 1024 + 1);
    for (const frame of ['one', large, large.slice(1)]) connection.send(frame);
    expect(calls).to.deep.equal(['send one', `send ${large}`]);
    expect(published).to.deep.equal([`connection:1 ${large.slice(1)}`]);
  });
});

describe('draining connections', () => {
  it('closes those that wait for nothing, and returns the others', async () => {
    const idle = newOpenConnection();
    const busy = newOpenConnection(1);
    const admitting = newConnection();
    const all = [idle, busy, admitting].map(({ connection }) => connection);
    const left = await drainConnections(all, 'restart', 1);
    expect(left).to.deep.equal([busy.connection, admitting.connection]);
    expect(idle.calls).to.deep.equal(['stop', 'end 1012 restart']);
    expect([busy.calls, admitting.calls]).to.deep.equal([[], []]);
  });

  it('touches no connection that is closed already', async () => {
    const closed = newOpenConnection();
    closed.connection.removed();
    expect(await drainConnections([closed.connection], 'restart', 1)).to.deep.equal([]);
    expect(closed.calls).to.deep.equal([]);
  });

  it('closes none, and returns all, where there is no time for it', async () => {
    const idle = newOpenConnection();
    expect(await drainConnections([idle.connection], 'restart', 0)).to.deep.equal([idle.connection]);
    expect(idle.calls).to.deep.equal([]);
  });
});

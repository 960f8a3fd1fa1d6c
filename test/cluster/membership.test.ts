import { expect } from 'chai';
import { chatTopic, presenceTopic, userTopic } from '../../src/bus/topics.ts';
import type { ChatId, UserId } from '../../src/ids.ts';
import type { Connection } from '../../src/socket/Connection.ts';
import type { Receiver } from '../../src/socket/SocketConnection.ts';
import { id } from '../support/ids.ts';
import { until } from '../support/until.ts';
import { CHAT, Node } from './node.ts';

const [ADA, EVE, BOB]: readonly [UserId, UserId, UserId] = [id(1), id(2), id(3)];

describe('the members of a group on a node', () => {
  let node: Node;
  beforeEach(() => {
    node = new Node();
  });
  afterEach(() => node.close());

  it('receive nothing after their removal, although it arrives after the messages that follow it', async () => {
    const [ada, eve] = [await node.connect(ADA, [{ seq: 4 }]), await node.connect(EVE, [{ seq: 4 }])];
    node.store(5, { left: [EVE] });
    node.message(6);
    node.message(7);
    node.deliver(5);
    expect(ada).to.deep.equal(['5', '6', '7']);
    expect(eve).to.deep.equal(['5']);
  });

  it('do not receive their own messages, although the database has them before their node does', async () => {
    const [ada, eve] = [await node.connect(ADA, [{ seq: 4 }]), await node.connect(EVE, [{ seq: 4 }])];
    let answer = () => {};
    node.writing = new Promise((resolve) => {
      answer = resolve;
    });
    node.store(5);
    node.store(6); // of Eve, whose node has not received the answer yet
    node.message(7);
    await until(() => node.reads > 0);
    await new Promise(setImmediate);
    node.deliver(6, node.connectionOf(EVE));
    answer();
    await until(() => ada.length === 3 && eve.length === 2);
    expect([ada, eve]).to.deep.equal([
      ['5', '6', '7'],
      ['5', '7'],
    ]);
  });

  it('leave with a removal that never arrives', async () => {
    const [ada, eve] = [await node.connect(ADA, [{ seq: 4 }]), await node.connect(EVE, [{ seq: 4 }])];
    node.store(5, { left: [EVE] });
    node.message(6);
    await until(() => ada.length === 2);
    expect([ada, eve]).to.deep.equal([['5', '6'], ['5']]);
  });

  it('do not stay in the group when their joining arrives after their removal', async () => {
    const ada = await node.connect(ADA, [{ seq: 4 }]);
    const eve = await node.connect(EVE, []);
    node.message(5, { joined: [EVE] });
    node.message(6, { left: [EVE] });
    node.joined(EVE, 5);
    node.message(7);
    expect(ada).to.deep.equal(['5', '6', '7']);
    expect(eve).to.deep.equal(['5', '6']);
    expect(node.reconciled).to.deep.equal([EVE]); // it is checked, as it may have been another joining
  });

  it('do not stay in the group when joining and removal arrive at the same time', async () => {
    const eve = await node.connect(EVE, []);
    node.store(5, { joined: [EVE] });
    node.store(6, { left: [EVE] });
    node.store(7);
    node.joined(EVE, 5);
    await until(() => node.bus.position(chatTopic(CHAT), CHAT) === undefined); // no subscriber is left
    expect(eve).to.deep.equal(['5', '6']);
  });

  it('receive all messages after their joining, also those from before the node followed the group', async () => {
    const eve = await node.connect(EVE, []);
    node.store(5, { joined: [EVE] });
    node.store(6);
    node.joined(EVE, 5);
    await until(() => eve.length === 2);
    node.message(7);
    expect(eve).to.deep.equal(['5', '6', '7']);
  });

  it('receive nothing from before their joining while a gap is filled', async () => {
    const ada = await node.connect(ADA, [{ seq: 4 }]);
    const eve = await node.connect(EVE, []);
    for (const seq of [5, 6, 7, 8]) node.store(seq);
    node.message(9, { joined: [EVE], firstSeq: 9 });
    node.joined(EVE, 9);
    await until(() => ada.length === 5);
    expect(ada).to.deep.equal(['5', '6', '7', '8', '9']);
    expect(eve).to.deep.equal(['9']);
  });

  it('receive, after they connect, nothing older than the position read at the admission', async () => {
    const ada = await node.connect(ADA, [{ seq: 4 }]);
    for (const seq of [5, 6, 7, 8]) node.store(seq);
    const eve = await node.connect(EVE, [{ seq: 8, firstSeq: 8 }]);
    node.message(9);
    await until(() => ada.length === 5);
    expect(ada).to.deep.equal(['5', '6', '7', '8', '9']);
    expect(eve).to.deep.equal(['9']);
  });

  it('leave no topic behind when their last connection has gone', async () => {
    await node.connect(ADA, [{ seq: 4 }]);
    const [connection] = node.connections.ofUser(ADA) as [Connection];
    node.connections.presence.watch(connection, [BOB, EVE], 10);
    node.connections.presence.show(connection, [BOB]);
    expect(node.topics).to.deep.equal([chatTopic(CHAT), presenceTopic(BOB), userTopic(ADA)]);
    node.connections.remove(connection);
    expect(node.topics).to.deep.equal([]);
    expect([...node.connections]).to.deep.equal([]);
  });

  it('receive nothing any more once they have to synchronise', async () => {
    const [ada, bob] = [await node.connect(ADA, [{ seq: 4 }]), await node.connect(BOB, [{ seq: 4 }])];
    node.connections.resynchronise(node.connections.ofUser(ADA), 'reconnect and synchronise');
    node.message(5);
    for (const userId of [ADA, BOB]) node.receive(userTopic(userId), { frame: 'of the user' });
    expect([ada, bob]).to.deep.equal([[], ['5', 'of the user']]);
  });

  it('leave the group by the next turns, however many have to synchronise', async () => {
    for (let n = 0; n < 501; n++) await node.connect(ADA, [{ seq: 4 }]);
    const bob = await node.connect(BOB, [{ seq: 4 }]);
    node.connections.resynchronise(node.connections.ofUser(ADA), 'reconnect and synchronise');
    await new Promise(setImmediate);
    const [own] = node.connections.ofUser(BOB);
    expect(node.connections.groups.membersOf(CHAT)).to.deep.equal([own]);
    node.message(5);
    expect(bob).to.deep.equal(['5']);
  });

  it('are closed with 1012 after five seconds, if they have to synchronise and still wait for an answer', async () => {
    await node.connect(ADA, [{ seq: 4 }]);
    const [connection] = node.connections.ofUser(ADA) as [Connection];
    connection.receiver = { unanswered: () => 1, stop: () => {} } as unknown as Receiver;
    const { now } = performance;
    let late = 0;
    performance.now = () => now.call(performance) + late;
    try {
      node.connections.resynchronise([connection], 'reconnect and synchronise');
      expect(connection.state).to.equal('closing');
      late = 5_000;
      await until(() => connection.state === 'closed');
    } finally {
      performance.now = now;
    }
    expect(node.closed).to.deep.equal([1012]);
  });

  it('receive changes only of messages that they may see', async () => {
    const ada = await node.connect(ADA, [{ seq: 9 }]);
    const eve = await node.connect(EVE, [{ seq: 9, firstSeq: 9 }]);
    const bob = await node.connect(BOB, []);
    node.change('edit of 3', { head: 9, seq: 3 });
    node.message(10, { joined: [BOB], firstSeq: 10 });
    node.change('edit of 9', { head: 10, seq: 9 });
    node.change('typing', { head: 10 });
    expect(ada).to.deep.equal(['edit of 3', '10', 'edit of 9', 'typing']);
    expect(eve).to.deep.equal(['10', 'edit of 9', 'typing']);
    expect(bob).to.deep.equal(['10', 'typing']);
  });

  it('receive no change made after their removal, although the removal arrives late', async () => {
    const [ada, eve] = [await node.connect(ADA, [{ seq: 4 }]), await node.connect(EVE, [{ seq: 4 }])];
    node.store(5, { left: [EVE] });
    node.change('secret edit', { head: 5, seq: 3 });
    expect(ada).to.deep.equal([]);
    await until(() => ada.length === 2);
    expect([ada, eve]).to.deep.equal([['5', 'secret edit'], ['5']]);
  });

  it('all leave with the message that closes the group', async () => {
    const [ada, eve] = [await node.connect(ADA, [{ seq: 4 }]), await node.connect(EVE, [{ seq: 4 }])];
    node.message(5, { closes: true });
    node.message(6);
    expect([ada, eve]).to.deep.equal([['5'], ['5']]);
    expect(node.bus.position(chatTopic(CHAT), CHAT)).to.equal(undefined);
  });

  it('follow the changes that happen during their upgrade', async () => {
    await node.connect(ADA, [{ seq: 4 }]);
    const session = {
      userId: EVE,
      tokenVersion: 1,
      tokenId: 'token',
      since: 0,
      issuedAt: 0,
      expiresAt: Date.now() + 60_000,
    };
    const connection = node.connections.register(session, '127.0.0.1', null);
    node.message(5, { left: [EVE] }); // after the state read from the database
    await node.connections.subscribe(connection, {
      groups: [{ chatId: CHAT, seq: 4, firstSeq: 1 }],
      dialogs: [],
      snapshot: '1:1:',
    });
    expect([...connection.groups]).to.deep.equal([]);
  });

  it('are corrected from the database, in the order of the chat', async () => {
    const [ada, eve] = [await node.connect(ADA, [{ seq: 4 }]), await node.connect(EVE, [{ seq: 4 }])];
    const bob = await node.connect(BOB, []);
    node.store(5);
    node.store(6);
    node.store(7);
    node.connections.groups.setMembership(EVE, { chatId: CHAT, seq: 6, firstSeq: null, before: null });
    node.connections.groups.setMembership(BOB, { chatId: CHAT, seq: 6, firstSeq: 5, before: 4 });
    await until(() => ada.length === 2);
    node.deliver(7);
    expect(ada).to.deep.equal(['5', '6', '7']);
    expect(eve).to.deep.equal(['5', '6']);
    expect(bob).to.deep.equal(['7']);
  });

  it('receive the first message of a dialog although another device connects during its delivery', () => {
    const frames: string[] = [];
    node.bus.subscribe(userTopic(ADA), (message) => 'frame' in message && frames.push(message.frame));
    node.bus.begin(userTopic(ADA), [], '1:1:');
    node.bus.begin(userTopic(ADA), [{ chatId: id<ChatId>(9), seq: 1 }], '2:2:');
    node.receive(userTopic(ADA), { frame: 'first', position: { chatId: id<ChatId>(9), seq: 1 } });
    expect(frames).to.deep.equal(['first']);
  });

  it('are in a group according to the database, although no message says that they joined', async () => {
    const eve = await node.connect(EVE, []);
    for (const seq of [1, 2, 3, 4, 5, 6]) node.store(seq);
    node.connections.groups.setMembership(EVE, { chatId: CHAT, seq: 6, firstSeq: 1, before: 3 });
    const [connection] = node.connections.ofUser(EVE);
    await until(() => connection?.groups.has(CHAT) === true);
    node.message(7);
    expect(eve).to.deep.equal(['7']);
  });

  it('are out of the group when they joined and were removed during their upgrade and no other user was subscribed', async () => {
    const session = {
      ...{ userId: EVE, tokenVersion: 1, tokenId: 'token' },
      ...{ since: 0, issuedAt: 0, expiresAt: Date.now() + 60_000 },
    };
    const connection = node.connections.register(session, '127.0.0.1', null);
    node.store(5, { joined: [EVE] });
    node.joined(EVE, 5);
    await until(() => connection.changed?.has(CHAT) === true);
    node.message(6, { left: [EVE] }); // no connection is subscribed: it does not arrive
    await node.connections.subscribe(connection, { groups: [], dialogs: [], snapshot: '1:1:' });
    node.message(7);
    await until(() => !connection.groups.has(CHAT));
  });

  it('receive nothing from before they connected, although they joined again in that time', async () => {
    const ada = await node.connect(ADA, [{ seq: 4 }]);
    for (const seq of [5, 7, 8]) node.store(seq);
    node.store(6, { joined: [EVE] });
    const eve = await node.connect(EVE, [{ seq: 8 }]);
    node.message(9);
    await until(() => ada.length === 5);
    expect(eve).to.deep.equal(['9']);
  });

  it('receive a request to synchronise when more messages are missing than are pushed', async () => {
    const ada = await node.connect(ADA, [{ seq: 4 }]);
    node.receive(chatTopic(CHAT), { frame: 'far', position: { chatId: CHAT, seq: 1_000_000 } });
    await until(() => node.gapsTooLarge.length > 0);
    expect(node.gapsTooLarge).to.deep.equal([chatTopic(CHAT)]);
    expect(ada).to.deep.equal(['far']);
  });

  it('see their own reply before later messages, although those arrived earlier', async () => {
    const ada = await node.connect(ADA, [{ seq: 9 }]);
    node.store(10);
    node.message(11);
    node.bus.after(chatTopic(CHAT), { chatId: CHAT, seq: 9 }, () => ada.push('reply to 10'));
    node.bus.publish(chatTopic(CHAT), { frame: '10', position: { chatId: CHAT, seq: 10 } });
    expect(ada).to.deep.equal(['reply to 10', '10', '11']); // here the sender itself is not excluded
  });
});

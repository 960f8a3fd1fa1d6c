import { expect } from 'chai';
import { newClients, newUsers, server, typedClient } from '../support/harness.ts';
import { startRelay } from '../support/relay.ts';
import { expectFresh } from './fresh.ts';
import { holdingFrames, when } from './network.ts';

/*
 * Frames that the server sent one after another may arrive in one chunk when the process was busy: then no turn of the
 * event loop is between the frames, and code that awaits the first one continues after the last.
 */
describe('a typed client that receives several frames in one chunk', () => {
  it('has the unread count of the last one', async () => {
    const [ada, bob] = await newClients(2);
    const address = { receiverId: bob.id };
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'Hi' });
    const network = holdingFrames(() => true);
    const client = typedClient(ada, { open: network.open });
    await client.chats.loaded;
    await client.online();
    await client.call('markUnread', address); // now it reads the chat again
    network.hold();
    const marked = client.chat(address).markRead();
    await network.held(2);
    network.release();
    await marked;
    await expectFresh(ada, client, address);
    expect(client.chats.value[0]).to.include({ unreadCount: 0, markedUnread: false });
  });

  it('has the unread count of the last one during a catch-up', async () => {
    const [ada, bob] = await newClients(2);
    const address = { receiverId: bob.id };
    const relay = await startRelay(server.url);
    const network = holdingFrames(() => true);
    const client = typedClient(ada, { url: relay.url, open: network.open });
    await client.chats.loaded;
    await client.online();
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'Hi' });
    await when(client.chats, ([chat]) => chat?.unreadCount === 1);
    network.hold();
    relay.drop();
    await network.held(); // the missed changes
    const marked = client.chat(address).markRead();
    await network.held(2);
    network.release();
    await marked;
    await client.online();
    await expectFresh(ada, client, address);
    expect(client.chats.value[0]).to.include({ readSeq: 1, unreadCount: 0 });
    await relay.cut();
  });

  it('has the presence of the last one', async () => {
    const [ada, bob] = await newUsers(2);
    const network = holdingFrames(() => true);
    const client = typedClient(ada, { open: network.open });
    await client.chats.loaded;
    await client.online();
    network.hold();
    const presence = client.presence(bob.id);
    await network.held();
    const device = await bob.connect();
    await network.held(2);
    network.release();
    await client.call('ping');
    expect(presence.value?.online).to.equal(true);
    await device.close();
  });

  it('has the presence of the last one after a reconnect', async () => {
    const [ada, bob] = await newUsers(2);
    const relay = await startRelay(server.url);
    const network = holdingFrames(({ type }) => type === 'subscribePresence');
    const client = typedClient(ada, { url: relay.url, open: network.open });
    const presence = client.presence(bob.id);
    await when(presence, (state) => state);
    network.hold();
    relay.drop();
    await network.held();
    const device = await bob.connect();
    await network.held(2);
    network.release();
    await client.call('ping');
    expect(presence.value?.online).to.equal(true);
    await device.close();
    await relay.cut();
  });
});

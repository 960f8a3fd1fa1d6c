import { expect } from 'chai';
import { accounts, type Params, ParleyError, type Push, type Result } from '../../src/client/index.ts';
import { newClients, newGroup, newUser, newUsers, server, typedClient } from '../support/harness.ts';
import { startRelay } from '../support/relay.ts';

const errorOf = (promise: Promise<unknown>): Promise<ParleyError> =>
  promise.then(
    () => {
      throw new Error('was not refused');
    },
    (error) => error,
  );

describe('a call of the typed client', () => {
  it('has the types of the server’s definitions', async () => {
    const client = typedClient(await newUser());
    const { groupId }: { groupId: number } = await client.call('newGroup', { groupName: 'Climbers' });
    const { seq }: Result<'messageInGroup'> = await client.call('messageInGroup', { groupId, content: 'Hi' });
    const rows: { readonly unreadCount: number }[] = (await client.call('listLastMessage')).data;
    expect([seq, rows.length]).to.deep.equal([2, 1]);
    client.on('privateMessage', ({ message, seq }) => `${message.trim()} ${seq.toFixed()}`);

    const wrong: (() => unknown)[] = [
      // @ts-expect-error there is no such command
      () => client.call('dance'),
      // @ts-expect-error a param is missing
      () => client.call('newGroup', {}),
      // @ts-expect-error params are missing
      () => client.call('privateMessage'),
      // @ts-expect-error a param has the wrong type
      () => client.call('leaveGroup', { groupId: '1' }),
      // @ts-expect-error a chat has one address
      () => client.call('typing', { receiverId: 1, groupId: 2, typing: true }),
      // @ts-expect-error a chat has an address
      () => client.call('muteChat', { muted: true }),
      // @ts-expect-error no push has this name
      () => client.on('listLastMessage', () => {}),
    ];
    expect(wrong).to.have.length(7);
    const params: Params<'markRead'> = { groupId, seq: 1 };
    expect((await client.call('markRead', params)).data.unreadCount).to.equal(0);
  });

  it('rejects with the code and the message of the server', async () => {
    const client = typedClient(await newUser());
    const missing = await errorOf(client.call('leaveGroup', { groupId: 999_999_999 }));
    expect(missing).to.be.instanceOf(ParleyError).and.include({ name: 'ParleyError', code: 'NOT_FOUND' });
    const wrong = await errorOf(client.call('privateMessage', { receiverId: 1, content: '' }));
    expect(wrong).to.include({ code: 'BAD_REQUEST' });
    expect(wrong.message).to.equal('params.content must have at least 1 characters');
    const unknown = await errorOf(client.call('dance' as 'ping'));
    expect(unknown.code).to.equal('UNKNOWN_TYPE');
  });

  it('refuses a frame that the server would not accept, and continues', async () => {
    const client = typedClient(await newUser());
    const content = '䷀'.repeat(30_000);
    expect(await errorOf(client.call('privateMessage', { receiverId: 1, content }))).to.include({
      code: 'PAYLOAD_TOO_LARGE',
    });
    await client.call('ping');
  });

  it('rejects in slow mode instead of waiting', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('updateGroup', { groupId, slowModeSeconds: 60 });
    const client = typedClient(bob);
    await client.call('messageInGroup', { groupId, content: 'one' });
    const error = await errorOf(client.call('messageInGroup', { groupId, content: 'two' }));
    expect(error).to.include({ code: 'RATE_LIMITED' });
    expect(error.retryAfter).to.be.within(55, 60);
  });

  it('that must not be sent twice rejects when its outcome is unknown', async () => {
    const relay = await startRelay(server.url);
    const [ada] = await newClients(1);
    const groupId = await newGroup(ada.client);
    const client = typedClient(ada, { url: relay.url });
    await client.online();
    relay.mute();
    const invite = errorOf(client.call('createInvite', { groupId }));
    while ((await ada.client.done('listInvites', { groupId })).data.length === 0);
    relay.drop();
    expect((await invite).code).to.equal('CONNECTION_LOST');
    expect((await client.call('listInvites', { groupId })).data).to.have.length(1);
    await relay.cut();
  });

  it('can be aborted before and after it is sent', async () => {
    const relay = await startRelay(server.url);
    const [ada, bob] = await newClients(2);
    const to = { receiverId: bob.id };
    const client = typedClient(ada, { url: relay.url });
    await client.online();
    const aborted = AbortSignal.abort(new Error('changed my mind'));
    expect(
      (await errorOf(client.call('privateMessage', { ...to, content: '0' }, { signal: aborted }))).message,
    ).to.equal('changed my mind');
    await relay.cut();
    const waiting = new AbortController();
    const first = errorOf(client.call('privateMessage', { ...to, content: '1' }, waiting));
    const second = client.call('privateMessage', { ...to, content: '2' });
    waiting.abort(new Error('too late'));
    expect((await first).message).to.equal('too late');
    await relay.restore();
    expect((await second).seq).to.equal(1);

    await client.online();
    relay.mute();
    const sent = new AbortController();
    const third = errorOf(client.call('privateMessage', { ...to, content: '3' }, sent));
    await bob.client.next((frame) => frame.params?.message === '3');
    sent.abort(new Error('never mind'));
    expect((await third).message).to.equal('never mind');
    relay.drop();
    expect((await client.call('privateMessage', { ...to, content: '4' })).seq).to.equal(3);
    await relay.cut();
  });

  it('works together with an iteration over all pushes, in order', async () => {
    const [ada, bob] = await newClients(2);
    const client = typedClient(bob);
    await client.online();
    const pushes: Push[] = [];
    const iteration = (async () => {
      for await (const push of client) {
        pushes.push(push);
        if (push.type === 'messageInGroup') break;
      }
    })();
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    await ada.client.done('messageInGroup', { groupId, content: 'Hello' });
    await iteration;
    expect(pushes.map(({ type, params }) => `${type} ${params.message}`)).to.deep.equal([
      `addUserInGroup ${ada.username} added ${bob.username}`,
      'privateMessage Hi',
      'messageInGroup Hello',
    ]);
  });

  it('isolates the error of a listener', async () => {
    const [ada, bob] = await newClients(2);
    const client = typedClient(bob);
    const uncaught: unknown[] = [];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => uncaught.push(error));
    client.on('privateMessage', () => {
      throw new Error('a bug of the page');
    });
    const received = new Promise((resolve) => client.on('privateMessage', ({ message }) => resolve(message)));
    await client.online();
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    expect(await received).to.equal('Hi');
    await client.call('ping');
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) process.on('uncaughtException', listener);
    expect(uncaught).to.have.length(1);
  });
});

describe('the accounts of the typed client', () => {
  const account = () => ({
    email: `a${process.pid}-${Math.random()}@example.com`,
    username: `a${process.pid}-${`${Math.random()}`.slice(2)}`,
    password: 'correct horse battery',
  });

  it('register, log in, change and delete', async () => {
    const { register, login, update, delete: remove } = accounts(server.url);
    const { email, username, password } = account();
    const { user, token } = await register({ email, username, password });
    expect(user).to.include({ email, username });
    expect((await login({ username, password })).user.id).to.equal(user.id);
    const renamed = await update(token, { username: `${username}_2` });
    expect(renamed.user.username).to.equal(`${username}_2`);
    const changed = await update(token, { password: 'another horse', currentPassword: password });
    expect(await errorOf(remove(token, 'another horse'))).to.include({ code: 'UNAUTHORIZED' });
    await remove(changed.token ?? '', 'another horse');
    expect(await errorOf(login({ email, password: 'another horse' }))).to.include({ code: 'UNAUTHORIZED' });
  });

  it('reject with the code and the message of the server, or when it cannot be reached', async () => {
    const { register } = accounts(server.url);
    expect(await errorOf(register({ ...account(), password: 'short' }))).to.include({
      code: 'BAD_REQUEST',
      message: 'body.password must have at least 8 characters',
    });
    const [ada] = await newUsers(1);
    expect(await errorOf(register({ ...account(), username: ada.username }))).to.include({
      code: 'CONFLICT',
    });
    const nobody = accounts('http://127.0.0.1:1');
    expect(await errorOf(nobody.login({ username: 'a', password: 'b' }))).to.include({ code: 'UNAVAILABLE' });
  });
});

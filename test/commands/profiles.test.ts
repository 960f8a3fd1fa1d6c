import { expect } from 'chai';
import { http, newClients, newGroup } from '../support/harness.ts';

describe('getProfile', () => {
  it('returns the profile of any user, with the email only for the user’s own', async () => {
    const [ada, bob] = await newClients(2);
    const own = (await ada.client.done('getProfile')).data;
    expect(own).to.include({
      userId: ada.id,
      username: ada.username,
      email: ada.email,
      online: true,
      about: null,
    });
    const other = (await bob.client.done('getProfile', { userId: ada.id })).data;
    expect(other).to.include({ userId: ada.id, username: ada.username });
    expect(other).not.to.have.property('email');
    expect(await bob.client.refused('getProfile', { userId: 999_999_999 })).to.equal('NOT_FOUND');
  });

  it('returns a deleted account as deleted, without its former data', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('updateProfile', { displayName: 'Ada', about: 'secret', custom: { a: 1 } });
    await http('DELETE', '/users/me', { token: ada.token, body: { password: ada.password } });
    const { data } = await bob.client.done('getProfile', { userId: ada.id });
    expect(data).to.include({
      username: 'Deleted user',
      displayName: null,
      about: null,
      custom: null,
      online: false,
    });
  });
});

describe('updateProfile', () => {
  it('changes the given fields, keeps the others, and clears fields with null', async () => {
    const [ada] = await newClients(1);
    const custom = { z: [1, { deep: 'é' }], a: null };
    await ada.client.done('updateProfile', {
      displayName: 'Ada Lovelace',
      avatar: 'https://example.com/a.png',
      custom,
    });
    const { data } = await ada.client.done('updateProfile', { about: 'Countess', avatar: null });
    expect(data).to.deep.include({ displayName: 'Ada Lovelace', about: 'Countess', avatar: null, custom });
  });

  it('counts the changes of the profile and the username, and no others', async () => {
    const [ada, bob] = await newClients(2);
    const version = async () => (await bob.client.done('getProfile', { userId: ada.id })).data.version;
    expect(await version()).to.equal(0);
    await ada.client.done('updateProfile', { about: 'Countess' });
    expect(await version()).to.equal(1);
    await ada.client.done('updateProfile', { about: 'Countess', avatar: null }); // what is there already
    expect(await version()).to.equal(1);
    const { token, password } = ada;
    const patch = (body: object) => http('PATCH', '/users/me', { token, body });
    await patch({ username: `Countess${process.pid}` });
    expect(await version()).to.equal(2);
    await patch({ email: `countess${process.pid}@example.com`, currentPassword: password });
    await ada.client.done('setPresence', { invisible: true });
    expect(await version()).to.equal(2);
  });

  it('pushes to own devices and to users with a common dialog, and to nobody else', async () => {
    const [ada, bob, eve] = await newClients(3);
    const other = await ada.connect();
    for (const receiverId of [bob.id, ada.id])
      await ada.client.done('privateMessage', { receiverId, content: 'hi' });
    await bob.client.rest();
    await other.rest();
    await ada.client.done('updateProfile', { displayName: 'Countess' });
    for (const client of [other, bob.client])
      expect((await client.push('updateProfile')).params).to.include({
        userId: ada.id,
        displayName: 'Countess',
      });
    for (const { client } of [eve, ada, bob]) expect(await client.rest()).to.deep.equal([]);
    expect(await other.rest(), 'once, also with notes to oneself').to.deep.equal([]);
  });

  it('pushes to nobody with a block in either direction, nor to users who share only a group', async () => {
    const [ada, bob, cleo, dan] = await newClients(4);
    await newGroup(ada.client, dan);
    for (const { client } of [bob, cleo])
      await client.done('privateMessage', { receiverId: ada.id, content: 'hi' });
    await ada.client.done('blockUser', { userId: bob.id });
    await cleo.client.done('blockUser', { userId: ada.id });
    await Promise.all([bob, cleo, dan].map(({ client }) => client.rest()));
    await ada.client.done('updateProfile', { about: 'Countess' });
    for (const { client } of [bob, cleo, dan]) expect(await client.rest()).to.deep.equal([]);
    await ada.client.done('unblockUser', { userId: bob.id });
    await ada.client.done('updateProfile', { about: 'Mathematician' });
    expect((await bob.client.push('updateProfile')).params).to.include({ about: 'Mathematician' });
  });

  it('refuses custom data that is too large or cannot be stored, and unknown fields', async () => {
    const [ada] = await newClients(1);
    const wrong = [
      { custom: { text: 'x'.repeat(4096) } },
      { custom: { text: 'a\0b' } },
      { custom: { '\ud800': 1 } },
      { custom: [1] },
      { custom: 'text' },
      { displayName: '' },
      { email: 'new@example.com' },
    ];
    for (const params of wrong)
      expect(await ada.client.refused('updateProfile', params)).to.equal('BAD_REQUEST');
    ada.client.socket.send('{"type":"updateProfile","params":{"custom":{"n":1e999}},"id":"inf"}');
    expect((await ada.client.reply('inf')).code).to.equal('BAD_REQUEST');
  });
});

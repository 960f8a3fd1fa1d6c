import { expect } from 'chai';
import { database, http, newClients, newGroup, type Person } from '../support/harness.ts';

describe('createInvite', () => {
  it('admits users with its code, up to its number of uses', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client);
    const { data } = await ada.client.done('createInvite', { groupId, maxUses: 1, expiresInSeconds: 3600 });
    expect(data).to.include({ groupId, createdBy: ada.id, maxUses: 1, uses: 0 });
    expect(Date.parse(data.expiresAt) - Date.now()).to.be.within(3_590_000, 3_610_000);

    const joined = await bob.client.done('joinByInvite', { code: data.code });
    expect(joined).to.include({ groupId, seq: 2 });
    expect((await ada.client.push('joinByInvite')).params).to.include({
      userId: bob.id,
      inviteId: data.inviteId,
    });
    expect(await bob.client.done('joinByInvite', { code: data.code })).to.include({ groupId }); // a repeat
    expect(await cleo.client.refused('joinByInvite', { code: data.code })).to.equal('NOT_FOUND');
    expect((await ada.client.done('listInvites', { groupId })).data).to.deep.equal([]); // used up
    await ada.client.done('messageInGroup', { groupId, content: 'welcome' });
    expect((await bob.client.push('messageInGroup')).params.message).to.equal('welcome');
  });

  it('admits no more users than its number of uses, however many join at the same time', async () => {
    const [ada, ...others] = await newClients(6);
    const groupId = await newGroup(ada.client);
    const { code } = (await ada.client.done('createInvite', { groupId, maxUses: 2 })).data;
    const answers = await Promise.all(others.map(({ client }) => client.call('joinByInvite', { code })));
    expect(answers.filter(({ success }) => success)).to.have.length(2);
  });

  it('creates one invite for repeats with the same clientInviteId', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client);
    const params = { groupId, clientInviteId: 'one' };
    const [one, two] = [
      await ada.client.done('createInvite', params),
      await ada.client.done('createInvite', params),
    ];
    expect(two.data).to.deep.equal(one.data);
    const other = await newGroup(ada.client, bob);
    expect(await ada.client.refused('createInvite', { ...params, groupId: other })).to.equal('CONFLICT');
    const ofBob = await bob.client.done('createInvite', { ...params, groupId: other });
    expect(ofBob.data, 'an id belongs to its user').to.include({ groupId: other, createdBy: bob.id });
  });

  it('creates an invite that expires', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client);
    const { code } = (await ada.client.done('createInvite', { groupId, expiresInSeconds: 1 })).data;
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    expect(await bob.client.refused('joinByInvite', { code })).to.equal('NOT_FOUND');
    expect((await ada.client.done('listInvites', { groupId })).data).to.deep.equal([]);
  });
});

describe('the uses of an invite', () => {
  it('are counted for each user who joins with it, and not for members and refused users', async () => {
    const [ada, bob, cleo, dan] = await newClients(4);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('banUser', { groupId, userId: dan.id });
    const { code } = (await ada.client.done('createInvite', { groupId, maxUses: 3 })).data;
    const uses = async () => (await ada.client.done('listInvites', { groupId })).data[0].uses;
    for (const [person, outcome, count] of [
      [bob, 'ok', 0], // a member
      [dan, 'FORBIDDEN', 0],
      [cleo, 'ok', 1],
      [cleo, 'ok', 1], // a repeat
    ] as const) {
      expect((await person.client.call('joinByInvite', { code })).code ?? 'ok').to.equal(outcome);
      expect(await uses()).to.equal(count);
    }
    await cleo.client.done('leaveGroup', { groupId });
    await cleo.client.done('joinByInvite', { code });
    expect(await uses()).to.equal(2);
  });
});

describe('revokeInvite', () => {
  it('leaves the other invites of the group valid, and notifies nobody', async () => {
    const [ada, bob, eve] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    await bob.client.rest();
    const { nextCursor: cursor } = await bob.client.done('sync', { fromNow: true });
    const invite = async () => (await ada.client.done('createInvite', { groupId })).data;
    const [revoked, kept] = [await invite(), await invite()];
    await ada.client.done('revokeInvite', { groupId, inviteId: revoked.inviteId });
    expect(await bob.client.rest()).to.deep.equal([]);
    expect((await bob.client.done('sync', { cursor })).data).to.deep.equal([]);
    expect((await ada.client.done('listInvites', { groupId })).data).to.deep.equal([kept]);
    await eve.client.done('joinByInvite', { code: kept.code });
  });

  it('makes an invite invalid, and is allowed to its creator and to admins', async () => {
    const [ada, bob, cleo, eve] = await newClients(4);
    const groupId = await newGroup(ada.client, bob, cleo);
    const { inviteId, code } = (await bob.client.done('createInvite', { groupId })).data;
    expect((await cleo.client.done('listInvites', { groupId })).data).to.deep.equal([]);
    expect((await ada.client.done('listInvites', { groupId })).data).to.have.length(1);
    expect(await cleo.client.refused('revokeInvite', { groupId, inviteId })).to.equal('FORBIDDEN');
    expect(await eve.client.refused('revokeInvite', { groupId, inviteId })).to.equal('NOT_A_MEMBER');
    for (let times = 0; times < 2; times++) await ada.client.done('revokeInvite', { groupId, inviteId });
    expect(await eve.client.refused('joinByInvite', { code })).to.equal('NOT_FOUND');
    expect(await ada.client.refused('revokeInvite', { groupId, inviteId: 999_999 })).to.equal('NOT_FOUND');
  });

  it('refuses an invite of another group, whatever the role of the user in the named one', async () => {
    const [ada, eve] = await newClients(2);
    const groupId = await newGroup(ada.client);
    const { data: invite } = await ada.client.done('createInvite', { groupId });
    const params = { groupId: await newGroup(eve.client), inviteId: invite.inviteId };
    expect(await eve.client.refused('revokeInvite', params)).to.equal('NOT_FOUND');
    expect((await ada.client.done('listInvites', { groupId })).data).to.deep.equal([invite]);
  });
});

describe('an invite', () => {
  /** Creates a group of Ada with an invite of Bob, an admin or a member, and a function that tries the code. */
  async function invited(role: 'admin' | 'member' = 'member', people = newClients(3)) {
    const [ada, bob, eve] = await people;
    const groupId = await newGroup(ada.client, bob);
    const owner = (type: string, params = {}) => ada.client.done(type, { groupId, ...params });
    if (role === 'admin') await owner('setMemberRole', { userId: bob.id, role });
    await newGroup(bob.client); // where he may add users, whatever happens in the first one
    const { code, inviteId } = (await bob.client.done('createInvite', { groupId, maxUses: 5 })).data;
    const tryBy = async ({ client }: Person) => (await client.call('joinByInvite', { code })).code ?? 'ok';
    return { bob, eve, groupId, owner, code, inviteId, tryBy };
  }

  const endings: Record<string, (scene: Awaited<ReturnType<typeof invited>>) => Promise<unknown>> = {
    'left the group': ({ bob, groupId }) => bob.client.done('leaveGroup', { groupId }),
    'was removed': ({ owner, bob }) => owner('removeUserFromGroup', { userId: bob.id }),
    'was banned': ({ owner, bob }) => owner('banUser', { userId: bob.id }),
    'deleted their account': ({ bob }) =>
      http('DELETE', '/users/me', { token: bob.token, body: { password: bob.password } }),
    'was disabled': ({ bob }) => database.users.update({ disabledAt: new Date() }, { where: { id: bob.id } }),
    'may not add people any more': ({ owner }) => owner('updateGroup', { whoMayAdd: 'admins' }),
  };
  for (const [what, end] of Object.entries(endings))
    it(`admits nobody and is not listed once its creator ${what}`, async () => {
      const scene = await invited();
      const { eve, owner, inviteId, tryBy } = scene;
      expect(
        (await owner('listInvites')).data.map((row: { inviteId: number }) => row.inviteId),
      ).to.deep.equal([inviteId]);
      await end(scene);
      expect(await tryBy(eve)).to.equal('NOT_FOUND');
      expect((await owner('listInvites')).data).to.deep.equal([]);
      const invite = await database.invites.findByPk(inviteId);
      expect(invite?.uses).to.equal(0);
    });

  it('does not admit its own creator after their removal', async () => {
    const { bob, owner, tryBy } = await invited();
    await owner('removeUserFromGroup', { userId: bob.id });
    expect(await tryBy(bob)).to.equal('NOT_FOUND');
    await owner('addUserInGroup', { userId: bob.id });
    expect(await tryBy(bob)).to.equal('ok'); // already a member
  });

  it('depends on the role of its creator when only admins may add members', async () => {
    const { bob, eve, groupId, owner, tryBy } = await invited('admin');
    await owner('updateGroup', { whoMayAdd: 'admins' });
    await owner('setMemberRole', { userId: bob.id, role: 'member' });
    expect(await tryBy(eve)).to.equal('NOT_FOUND');
    expect((await bob.client.done('listInvites', { groupId })).data).to.deep.equal([]);
    await owner('setMemberRole', { userId: bob.id, role: 'admin' });
    expect(await tryBy(eve)).to.equal('ok');
  });

  it('admits nobody after the message of the removal of its creator', async () => {
    const people = newClients(3);
    for (let round = 0; round < 15; round++) {
      const { bob, eve, owner, code } = await invited('member', people);
      const [removed, joined] = await Promise.all([
        owner('removeUserFromGroup', { userId: bob.id }),
        eve.client.call('joinByInvite', { code }),
      ]);
      if (joined.success) expect(joined.params.seq).to.be.below(removed.seq);
      else expect(joined.code).to.equal('NOT_FOUND');
    }
  });
});

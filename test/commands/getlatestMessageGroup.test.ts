import { expect } from 'chai';
import { http, newGroup, newUsers } from '../support/harness.ts';

type Row = Record<string, unknown>;

describe('getlatestMessageGroup', () => {
  it('returns rows with the documented field names, newest first', async () => {
    const [ada, bob] = await newUsers(2);
    const a = await ada.connect();
    const groupId = await newGroup(a, bob);
    const { messageId, createdAt } = (await a.call('messageInGroup', { groupId, content: 'third' })).params;

    const { message, senderName, data } = (await a.call('getlatestMessageGroup', { groupId })).params;

    expect([message, senderName]).to.deep.equal([null, null]);
    expect(data.map((row: Row) => row.seq)).to.deep.equal([3, 2, 1]);
    expect(data[0]).to.deep.equal({
      id: messageId,
      seq: 3,
      kind: 'text',
      version: 0,
      content: 'third',
      sender_id: ada.id,
      senderName: ada.username,
      group_id: groupId,
      created_at: createdAt,
      updated_at: createdAt,
      deleted_at: null,
      edited_at: null,
      reply_to: null,
      silent: false,
      custom: null,
      mentions: [],
      forwarded_from: null,
      forwardedFromName: null,
      reactions: [],
      pinned: false,
      event: null,
    });
  });

  it('pages without a gap or a repeat to the end', async () => {
    const [ada] = await newUsers(1);
    const a = await ada.connect();
    const groupId = await newGroup(a);
    for (let n = 2; n <= 25; n++) a.send('messageInGroup', { groupId, content: `message ${n}` });
    const pages: Row[][] = [];
    for (let page = 1; page <= 4; page++)
      pages.push((await a.call('getlatestMessageGroup', { groupId, limit: 10, page })).params.data);

    expect(pages.map((page) => page.length)).to.deep.equal([10, 10, 5, 0]);
    expect(pages.flat().map(({ seq }) => seq)).to.deep.equal(Array.from({ length: 25 }, (_, n) => 25 - n));
  });

  it('uses limit 20 and page 1 by default, and accepts any page up to the largest integer', async () => {
    const [ada] = await newUsers(1);
    const a = await ada.connect();
    const groupId = await newGroup(a);
    for (let n = 0; n < 30; n++) a.send('messageInGroup', { groupId, content: 'x' });
    expect((await a.call('getlatestMessageGroup', { groupId })).params.data).to.have.length(20);
    for (const page of [1_000_000, Number.MAX_SAFE_INTEGER])
      expect((await a.call('getlatestMessageGroup', { groupId, page })).params.data).to.deep.equal([]);
  });

  it('refuses users outside the group, unknown groups and invalid pages', async () => {
    const [ada, eve] = await newUsers(2);
    const [a, e] = [await ada.connect(), await eve.connect()];
    const groupId = await newGroup(a);
    expect(await e.call('getlatestMessageGroup', { groupId })).to.include({ code: 'NOT_A_MEMBER' });
    expect(await e.call('getlatestMessageGroup', { groupId: 999_999_999 })).to.include({ code: 'NOT_FOUND' });
    const wrong = {
      'params.limit must be at least 1': { groupId, limit: 0 },
      'params.limit must be at most 100': { groupId, limit: 101 },
      'params.limit must be an integer': { groupId, limit: '10' },
      'params.page must be at least 1': { groupId, page: 0 },
      'params.page must be an integer': { groupId, page: 1.5 },
      'params.groupId must be an integer': { groupId: `${groupId}` },
      'params.groupId is required': {},
      'params.offset is not known; expected only groupId, limit, page': { groupId, offset: 3 },
    };
    for (const [message, params] of Object.entries(wrong))
      expect(await a.call('getlatestMessageGroup', params)).to.include({ code: 'BAD_REQUEST', message });
  });

  it('returns current names, and "Deleted user" for a deleted account', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const groupId = await newGroup(a, bob);
    await b.call('messageInGroup', { groupId, content: 'from bob' });
    const nameOfBob = async () =>
      (await a.call('getlatestMessageGroup', { groupId, limit: 1 })).params.data[0].senderName;

    await http('PATCH', '/users/me', { token: bob.token, body: { username: `${bob.username}-2` } });
    expect(await nameOfBob()).to.equal(`${bob.username}-2`);
    await http('DELETE', '/users/me', { token: bob.token, body: { password: bob.password } });
    expect(await nameOfBob()).to.equal('Deleted user');
  });
});

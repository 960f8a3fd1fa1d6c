import { expect } from 'chai';
import { http, newUsers } from '../support/harness.ts';

type Row = Record<string, unknown>;
const contents = (rows: Row[]) => rows.map(({ content }) => content);

describe('getlatestMessageDialog', () => {
  it('returns both directions, each row with its receiver', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    await a.call('privateMessage', { receiverId: bob.id, content: 'question' });
    const { messageId, createdAt } = (
      await b.call('privateMessage', { receiverId: ada.id, content: 'answer' })
    ).params;

    const { data } = (await a.call('getlatestMessageDialog', { receiverId: bob.id })).params;

    expect(contents(data)).to.deep.equal(['answer', 'question']);
    expect(data[0]).to.deep.equal({
      id: messageId,
      seq: 2,
      kind: 'text',
      version: 0,
      content: 'answer',
      sender_id: bob.id,
      senderName: bob.username,
      receiver_id: ada.id,
      receverName: ada.username,
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
    expect(data[1]).to.include({ sender_id: ada.id, receiver_id: bob.id, receverName: bob.username });
    expect((await b.call('getlatestMessageDialog', { receiverId: ada.id })).params.data).to.deep.equal(data);
  });

  it('returns nothing to other users', async () => {
    const [ada, bob, eve] = await newUsers(3);
    const [a, e] = [await ada.connect(), await eve.connect()];
    await a.call('privateMessage', { receiverId: bob.id, content: 'secret' });
    for (const { id } of [ada, bob])
      expect((await e.call('getlatestMessageDialog', { receiverId: id })).params.data).to.deep.equal([]);
  });

  it('pages, is empty before the first message, and returns the notes to oneself', async () => {
    const [ada, bob] = await newUsers(2);
    const a = await ada.connect();
    expect((await a.call('getlatestMessageDialog', { receiverId: bob.id })).params.data).to.deep.equal([]);
    for (const content of ['1', '2', '3']) await a.call('privateMessage', { receiverId: ada.id, content });
    const page = async (number: number) =>
      contents(
        (await a.call('getlatestMessageDialog', { receiverId: ada.id, limit: 2, page: number })).params.data,
      );
    expect([await page(1), await page(2), await page(3)]).to.deep.equal([['3', '2'], ['1'], []]);
  });

  it('refuses a user who never existed, and still returns the dialog with a deleted user', async () => {
    const [ada, bob] = await newUsers(2);
    const a = await ada.connect();
    expect(await a.call('getlatestMessageDialog', { receiverId: 999_999_999 })).to.include({
      code: 'NOT_FOUND',
    });
    await a.call('privateMessage', { receiverId: bob.id, content: 'remember' });
    await http('DELETE', '/users/me', { token: bob.token, body: { password: bob.password } });
    const [row] = (await a.call('getlatestMessageDialog', { receiverId: bob.id })).params.data;
    expect(row).to.include({ content: 'remember', receverName: 'Deleted user' });
  });
});

import { expect } from 'chai';
import type { ChatId } from '../../src/ids.ts';
import { createChatRecord } from '../../src/messages/chatRecord.ts';
import { database, newClients, newGroup } from '../support/harness.ts';
import { id } from '../support/ids.ts';

/** Inserts messages of the user $2 in the chat $1, up to the seq $3. */
const written = `
with added as (
  insert into messages (chat_id, seq, sender_id, kind, content, tally)
  select id, seq, $2, 'text', 'hi', seq from chats cross join lateral generate_series(last_seq + 1, $3::int) seq
  where id = $1
)
update chats set last_seq = $3::int where id = $1
`;

async function snapshot(): Promise<string> {
  const [row] = await database.query<{ now: string }>('select pg_current_snapshot()::text as now', []);
  return row?.now ?? '';
}

describe('the record of a chat', () => {
  it('has the messages between two seqs with the changes of members, and none of other chats', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const { groupId } = await ada.client.done('newGroup', { groupName: 'Climbers', userIds: [bob.id] });
    const other = await newGroup(ada.client, bob, cleo);
    await ada.client.done('addUserInGroup', { groupId, userId: cleo.id });
    for (const chat of [groupId, other])
      await ada.client.done('messageInGroup', { groupId: chat, content: `in ${chat}` });
    await ada.client.done('updateGroup', { groupId, historyFrom: 'joining' });
    await cleo.client.done('leaveGroup', { groupId });
    await ada.client.done('addUserInGroup', { groupId, userId: cleo.id });
    await ada.client.done('deleteGroup', { groupId });
    const record = createChatRecord(database);
    const pushes = await record.read(groupId, 1, 7);
    expect(pushes.map(({ seq, membership }) => [seq, membership])).to.deep.equal([
      [1, { joined: [ada.id, bob.id] }],
      [2, { joined: [cleo.id] }],
      [3, undefined],
      [4, undefined],
      [5, { left: [cleo.id] }],
      [6, { joined: [cleo.id], firstSeq: 6 }],
      [7, { closes: true }],
    ]);
    const [message, ...rest] = await record.read(groupId, 3, 3);
    expect(rest).to.deep.equal([]);
    expect(JSON.parse(message?.frame ?? '').params.message).to.equal(`in ${groupId}`);
  });

  it('has the pushes of messages as they were published', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await bob.client.rest();
    const first = await ada.client.done('messageInGroup', { groupId, content: 'hi' });
    const content = `Look, @${bob.username}`;
    const extras = { replyTo: first.messageId, silent: true, custom: { color: 'red' } };
    const { messageId } = await ada.client.done('messageInGroup', { groupId, content, ...extras });
    await ada.client.done('forwardMessage', { messageId, groupId });
    const pushed = (await bob.client.rest()).filter(({ type }) => type === 'messageInGroup');
    expect(pushed.map(({ params }) => params.mentions)).to.deep.equal([undefined, [bob.id], [bob.id]]);
    const record = await createChatRecord(database).read(groupId, 3, 5);
    expect(record.map(({ frame }) => JSON.parse(frame ?? ''))).to.deep.equal(pushed);
  });

  it('has the newest seq of each chat, and 0 of a chat that does not exist', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await newGroup(ada.client);
    const record = createChatRecord(database);
    expect(await record.head(groupId)).to.equal(2);
    expect(await record.head(id<ChatId>(999_999_999))).to.equal(0);
  });

  it('has the newest seq at the time of a snapshot, unless a thousand messages were written since', async () => {
    const [ada] = await newClients(1);
    const record = createChatRecord(database);
    const first = await snapshot();
    const groupId = await newGroup(ada.client);
    const write = () => ada.client.done('messageInGroup', { groupId, content: 'x' });
    for (let n = 0; n < 2; n++) await write();
    const third = await snapshot();
    const at = async () => [await record.headAt(groupId, first), await record.headAt(groupId, third)];
    expect(await at()).to.deep.equal([0, 3]);
    await write();
    expect(await at()).to.deep.equal([0, 3]);
    expect(await record.headAt(groupId, await snapshot())).to.equal(4);
    await database.execute(written, [groupId, ada.id, 1_002]);
    expect(await at()).to.deep.equal([undefined, 3]);
    await write();
    expect(await at()).to.deep.equal([undefined, undefined]);
    expect(await record.headAt(id<ChatId>(999_999_999), third)).to.equal(0);
  });

  it('has no message of a transaction that was open at the time of the snapshot', async () => {
    const [ada] = await newClients(1);
    const groupId = await newGroup(ada.client);
    const during = await database.transaction(async (transaction) => {
      await database.execute(written, [groupId, ada.id, 2], transaction);
      return snapshot();
    });
    const record = createChatRecord(database);
    expect(await record.headAt(groupId, during)).to.equal(1);
    expect(await record.headAt(groupId, await snapshot())).to.equal(2);
  });
});

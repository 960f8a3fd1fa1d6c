import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import type { CommandName } from '../../src/client/protocol.ts';
import { commands } from '../../src/commands/registry.ts';
import { database, newClients, type Person } from '../support/harness.ts';

/** Ada is the owner of both groups, and has a dialog with Bob and one with Cleo. */
interface Cast {
  readonly ada: Person;
  readonly bob: Person;
  readonly cleo: Person;
  readonly banned: Person;
  readonly former: Person;
  readonly stranger: Person;
}

/** A chat with all that a chat and its messages can have. */
interface Chat {
  readonly chatId: number;
  /** Each is edited, pinned, and has a reaction and a mention of all other members. */
  readonly messages: readonly [Sent, Sent];
}

interface Sent {
  readonly messageId: number;
  readonly seq: number;
}

/** Fills a chat of Ada and others; the same calls give the same `seq`s. */
async function fill(ada: Person, others: readonly Person[], address: object): Promise<Chat> {
  const type = 'groupId' in address ? 'messageInGroup' : 'privateMessage';
  const mentions = others.map(({ username }) => `@${username}`).join(' ');
  const write = async (): Promise<Sent> => {
    const { messageId, seq } = await ada.client.done(type, { ...address, content: 'x' });
    await ada.client.done('editMessage', { messageId, content: `Hi ${mentions}!` });
    await ada.client.done('pinMessage', { messageId });
    for (const { client } of [ada, ...others]) await client.done('addReaction', { messageId, emoji: '👍' });
    return { messageId, seq };
  };
  const messages = [await write(), await write()] as const;
  const row = await database.messages.findOne({ where: { id: messages[0].messageId } });
  return { chatId: row?.chatId as number, messages };
}

async function group({ ada, bob, cleo, banned, former }: Cast) {
  const userIds = [bob.id, cleo.id, former.id];
  const { groupId } = await ada.client.done('newGroup', { groupName: 'Climbers', userIds });
  const chat = await fill(ada, [bob, cleo], { groupId });
  await former.client.done('leaveGroup', { groupId });
  await ada.client.done('banUser', { groupId, userId: banned.id });
  const { data: invite } = await ada.client.done('createInvite', { groupId });
  return { ...chat, groupId, invite };
}

const tables = `
select table_name as name, bool_or(column_name = 'seq') as "hasSeq" from information_schema.columns
where table_schema = 'public' and column_name in ('chat_id', 'seq') and table_name not like 'message_search%'
group by table_name having bool_or(column_name = 'chat_id')
order by table_name
`;

/**
 * Returns all rows of chats ($1) and of a message ($2 chat, $3 seq, or null) by their tables, but for those of the search
 * index, which come later.
 */
async function rowsOf(chatIds: readonly number[], message?: { chatId: number; seq: number }) {
  const inChats = 'any (array(select jsonb_array_elements_text($1::jsonb)::bigint))';
  const ofChats = `message_id in (select id from messages where chat_id = ${inChats})`;
  const named = await database.query<{ name: string; hasSeq: boolean }>(tables, []);
  const sources = [
    ['chats', `id = ${inChats}`],
    ...['message_edits', 'reports'].map((name) => [name, ofChats]),
    ...named.map(({ name, hasSeq }) => [
      name,
      `chat_id = ${inChats} ${hasSeq ? 'or chat_id = $2 and seq = $3' : ''}`,
    ]),
  ];
  const selects = sources.map(
    ([name, condition]) =>
      `select '${name}' as name, jsonb_agg(to_jsonb(t) order by to_jsonb(t)::text) as rows from ${name} t where ${condition}`,
  );
  const values = [JSON.stringify(chatIds), message?.chatId ?? null, message?.seq ?? null];
  const [row] = await database.query<{ all: Record<string, unknown[] | null> }>(
    `select json_object_agg(name, rows) as all from (${selects.join(' union all ')}) tables
     where $2::bigint is null or $3::bigint is not null`,
    values,
  );
  return row?.all ?? {};
}

/** A command about a chat, and who sends it; `isOfMessage` if it changes nothing but one message of the chat. */
type Step = readonly [who: Person, type: CommandName, params: object, isOfMessage?: true];

/** The table: every command that changes a chat, in an order in which each is allowed. */
function steps(cast: Cast, chat: Awaited<ReturnType<typeof group>>, dialog: Chat): Step[] {
  const { ada, bob, cleo, banned, former, stranger } = cast;
  const { groupId, invite } = chat;
  const inBoth = (who: Person, type: CommandName, params: object): Step[] => [
    [who, type, { groupId, ...params }],
    [who, type, { receiverId: who === ada ? bob.id : ada.id, ...params }],
  ];
  const ofMessage = (who: Person, type: CommandName, params: object = {}): Step[] =>
    [chat, dialog].map(({ messages: [{ messageId }] }) => [who, type, { messageId, ...params }, true]);
  return [
    [ada, 'messageInGroup', { groupId, content: 'new' }],
    [ada, 'privateMessage', { receiverId: bob.id, content: 'new' }],
    ...inBoth(bob, 'markDelivered', { seq: 1 }),
    ...inBoth(bob, 'markRead', { seq: 2 }),
    ...inBoth(ada, 'markUnread', {}),
    ...inBoth(ada, 'muteChat', { muted: true }),
    ...inBoth(ada, 'archiveChat', { archived: true }),
    ...inBoth(ada, 'pinChat', { pinned: true }),
    ...inBoth(ada, 'typing', { typing: true }),
    ...inBoth(ada, 'sendEvent', { event: 'wave' }),
    ...inBoth(ada, 'forwardMessage', { messageId: chat.messages[0].messageId }),
    ...ofMessage(ada, 'removeReaction', { emoji: '👍' }),
    ...ofMessage(ada, 'addReaction', { emoji: '👍' }),
    ...ofMessage(ada, 'unpinMessage'),
    ...ofMessage(ada, 'pinMessage'),
    ...ofMessage(bob, 'reportMessage', { reason: 'spam' }),
    ...ofMessage(ada, 'editMessage', { content: 'for nobody' }),
    ...ofMessage(ada, 'editMessage', { content: `Hi again, @${bob.username}!` }),
    ...ofMessage(ada, 'deleteMessage'),
    [ada, 'updateGroup', { groupId, groupName: `Open ${groupId}`, isPrivate: false }],
    [ada, 'setMemberRole', { groupId, userId: bob.id, role: 'admin' }],
    [ada, 'transferOwnership', { groupId, userId: bob.id }],
    [bob, 'transferOwnership', { groupId, userId: ada.id }],
    [ada, 'createInvite', { groupId }],
    [stranger, 'joinByInvite', { code: invite.code }],
    [ada, 'revokeInvite', { groupId, inviteId: invite.inviteId }],
    [ada, 'unbanUser', { groupId, userId: banned.id }],
    [ada, 'addUserInGroup', { groupId, userId: banned.id }],
    [former, 'joinGroup', { groupId }],
    [ada, 'banUser', { groupId, userId: stranger.id }],
    [ada, 'removeUserFromGroup', { groupId, userId: cleo.id }],
    [bob, 'leaveGroup', { groupId }],
    [ada, 'deleteGroup', { groupId }],
    [ada, 'blockUser', { userId: bob.id }],
    [bob, 'blockUser', { userId: ada.id }],
    [ada, 'unblockUser', { userId: bob.id }],
    [bob, 'unblockUser', { userId: ada.id }],
  ];
}

describe('a command that changes a chat', () => {
  it('leaves all other chats of its members and all other messages as they are, of every command', async function () {
    this.timeout(60_000);
    const [ada, bob, cleo, banned, former, stranger] = await newClients(6);
    const cast = { ada, bob, cleo, banned, former, stranger };
    const [chat, other] = [await group(cast), await group(cast)];
    const dialog = await fill(ada, [bob], { receiverId: bob.id });
    const otherDialog = await fill(ada, [cleo], { receiverId: cleo.id });
    expect(chat.messages[1].seq).to.equal(other.messages[1].seq);
    for (const { id: userId } of [former, stranger]) // they may join the first group all the same
      await ada.client.done('banUser', { groupId: other.groupId, userId });
    const table = steps(cast, chat, dialog);
    const missing = commands.filter(
      ({ type, reads, params }) =>
        !reads &&
        ['groupId', 'receiverId', 'messageId'].some((name) => name in params.properties) &&
        !table.some(([, tried]) => tried === type),
    );
    expect(
      missing.map(({ type }) => type),
      'not tried',
    ).to.deep.equal([]);

    const others = [other.chatId, otherDialog.chatId];
    const changed: string[] = [];
    for (const [{ client }, type, params, isOfMessage] of table) {
      const inGroup = 'messageId' in params && params.messageId === chat.messages[0].messageId;
      const { chatId, messages } = inGroup ? chat : dialog;
      const neighbour = isOfMessage && { chatId, seq: messages[1].seq };
      const before = await rowsOf(others, neighbour);
      await client.done(type, params);
      for (const [name, rows] of Object.entries(await rowsOf(others, neighbour)))
        if (!isDeepStrictEqual(rows, before[name]))
          changed.push(`${type} ${JSON.stringify(params)}: ${name}`);
    }
    expect(changed).to.deep.equal([]);
  });
});

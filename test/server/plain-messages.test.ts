import { expect } from 'chai';
import fc from 'fast-check';
import type { QueryConfig } from 'pg';
import { pino } from 'pino';
import type { ChatId, ConnectionId, UserId } from '../../src/ids.ts';
import { defaultLimits } from '../../src/limits.ts';
import { createDialogDirectory } from '../../src/messages/dialogs.ts';
import { MessageWriter } from '../../src/messages/MessageWriter.ts';
import type { WriteAnswer } from '../../src/messages/WriterQueue.ts';
import { database, newUsers, type User } from '../support/harness.ts';
import { id } from '../support/ids.ts';
import { until } from '../support/until.ts';

type Outcome = Parameters<WriteAnswer>[0];

/** The target of a message: the group, a user by number, or the dialog with that user addressed as a group. */
type Target = 'group' | number | `dialog ${number}`;

/** Users, a group of theirs, and a writer that reports which statements it ran. */
interface World {
  readonly users: readonly User[];
  readonly groupId: ChatId;
  readonly statements: string[];
  /** The statements to run instead. */
  changed(config: QueryConfig): QueryConfig;
  write(sender: number, to: Target, content: string, clientMessageId?: string): Promise<Outcome>;
}

/** With `extras`, no message is plain. */
async function newWorld(extras?: { silent: false }): Promise<World> {
  const users = await newUsers(3);
  const [group] = await database.execute<{ id: ChatId }>(makeGroup, [users.map(({ id }) => id)]);
  const groupId = group?.id as ChatId;
  const statements: string[] = [];
  const query: typeof database.writer.query = (config) => {
    const [statement] = config.name?.split(' ') ?? [];
    if (statement) statements.push(statement);
    return database.writer.query(world.changed(config));
  };
  const db = { ...database, writer: { ...database.writer, query } };
  const hooks = {
    batchWritten() {},
    publish: (_: unknown, __: unknown, reply: () => void) => reply(),
    outcomeUnknown() {},
  };
  const dialogs = createDialogDirectory(db);
  const writer = new MessageWriter(db, dialogs, hooks, pino({ level: 'silent' }), defaultLimits);
  const world: World = {
    users,
    groupId,
    statements,
    changed: (config) => config,
    write(sender, to, content, clientMessageId) {
      const text = { senderId: users[sender]?.id as UserId, kind: 'text' as const, content };
      const receiver = (number: string | number) => ({ receiverId: users[Number(number)]?.id as UserId });
      const dialog = (number: string): ChatId =>
        dialogs.chatOf({ ...text, to: receiver(number), origin: id(0) }) ?? id(1_000_000_000);
      const draft = {
        ...text,
        to:
          to === 'group'
            ? { groupId }
            : typeof to === 'number'
              ? receiver(to)
              : { groupId: dialog(to.slice('dialog '.length)) },
        // of which of two chats it is, where it is sent to both at once, may depend on the batches
        clientMessageId: clientMessageId && `${clientMessageId} in ${to}`,
        extras,
        origin: id<ConnectionId>(0),
      };
      return new Promise((resolve) => writer.write(draft, resolve));
    },
  };
  return world;
}

const makeGroup = `
with made as (
  insert into chats (kind, name, created_by, member_count) values ('group', 'a group', ($1::bigint[])[1], 3) returning id
), members as (
  insert into chat_members (chat_id, user_id, role)
  select made.id, user_id, case when n = 1 then 'owner' else 'member' end
  from made, unnest($1::bigint[]) with ordinality as person (user_id, n)
)
select id from made
`;

/** Statements that change the rules for a message: $1 is the group, $2 are the users. */
const changes = {
  block: `
    insert into blocks (user_id, blocked_id)
    select ($2::bigint[])[1], ($2::bigint[])[2] where $1::bigint is not null on conflict do nothing`,
  unblock: 'delete from blocks where user_id = ($2::bigint[])[1] and $1::bigint is not null',
  slow: 'update chats set slow_mode_seconds = 60, rules_version = rules_version + 1 where id = $1 and $2::bigint[] is not null',
  quick:
    'update chats set slow_mode_seconds = 0, rules_version = rules_version + 1 where id = $1 and $2::bigint[] is not null',
  admins: `update chats set who_may_post = 'admins', rules_version = rules_version + 1 where id = $1 and $2::bigint[] is not null`,
  everybody: `update chats set who_may_post = 'members', rules_version = rules_version + 1 where id = $1 and $2::bigint[] is not null`,
  remove: `
    with removed as (delete from chat_members where chat_id = $1 and user_id = ($2::bigint[])[3])
    update chats set rules_version = rules_version + 1 where id = $1`,
  close: `
    update chats set closed_at = clock_timestamp(), rules_version = rules_version + 1
    where id = $1 and $2::bigint[] is not null`,
  lose: `
    update users set username = null, deleted_at = clock_timestamp()
    where id = ($2::bigint[])[1] and $1::bigint is not null`,
  leave: `
    update users set username = null, deleted_at = clock_timestamp()
    where id = ($2::bigint[])[2] and $1::bigint is not null`,
} as const;

const send = fc.record({
  sender: fc.nat(2),
  to: fc.constantFrom<Target[]>('group', 'group', 0, 1, 2, 'dialog 0', 'dialog 1'),
  content: fc.constantFrom('hello', 'an "answer" \\ with {signs}, NULL', 'ü 漢 🙂\n', '@nobody'),
  clientMessageId: fc.option(fc.constantFrom('a', 'b', 'c"d'), { nil: undefined, freq: 2 }),
});
const change = fc.constantFrom(...(Object.keys(changes) as (keyof typeof changes)[]));
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.array(send, { minLength: 1, maxLength: 12 }) },
    { weight: 1, arbitrary: change },
  ),
  { minLength: 2, maxLength: 10 },
);

/** Returns an outcome without ids and times, which differ between two worlds. */
function comparable(outcome: Outcome, { users }: World): unknown {
  if ('error' in outcome) {
    const { code, message } = outcome.error as { code: string; message: string };
    return { code, message: message.replace(/\d+/, '') };
  }
  const { seq, senderName, mentions, repeated } = outcome.stored;
  return { seq, sender: users.findIndex(({ username }) => username === senderName), mentions, repeated };
}

/** Returns the stored rows of messages, without ids and times. */
async function rowsOf({ users, groupId }: World): Promise<unknown> {
  const ids = users.map(({ id }) => id);
  const chats =
    'select id from chats where id = $2::bigint or user_low = any ($1::bigint[]) and user_high = any ($1::bigint[])';
  const who = (column: string) => `array_position($1::bigint[], ${column})`;
  const [messages, chatRows, members] = await Promise.all([
    database.query(
      `select ${who('chat.user_low')} as low, ${who('chat.user_high')} as high, message.seq, message.kind, ${who('sender_id')} as sender, content,
        client_message_id, silent, message.custom, mentions, reply_to, message.tally, message.created_at <= chat.last_message_at as "inTime"
       from messages message join chats chat on chat.id = message.chat_id
       where chat_id in (${chats}) order by low, high, seq`,
      [ids, groupId],
    ),
    database.query(
      `select ${who('user_low')} as low, ${who('user_high')} as high, last_seq, tally, rules_version,
        last_message_at = (select created_at from messages where chat_id = chats.id and seq = last_seq) as "isLast",
        (select array_agg(seq order by id) = array_agg(seq order by seq) from messages where chat_id = chats.id) as "idsInOrder"
       from chats where id in (${chats}) order by low, high`,
      [ids, groupId],
    ),
    database.query(
      `select ${who('chat.user_low')} as low, ${who('chat.user_high')} as high, ${who('user_id')} as member, read_seq, delivered_seq, read_tally,
        marked_unread, shown_read_seq, last_sent_at is not null as "hasSent"
       from chat_members join chats chat on chat.id = chat_id
       where chat_id in (${chats}) order by low, high, member`,
      [ids, groupId],
    ),
  ]);
  return { messages, chats: chatRows, members };
}

describe('the statements for plain messages', () => {
  it('store, refuse and answer the same as the statement for all messages', async function () {
    this.timeout(60_000);
    const counts = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const worlds = [await newWorld(), await newWorld({ silent: false })];
        for (const step of sequence) {
          const outcomes = await Promise.all(
            worlds.map(async (world) => {
              if (typeof step === 'string') {
                await database.execute(changes[step], [world.groupId, world.users.map(({ id }) => id)]);
                return [];
              }
              const sent = step.map(({ sender, to, content, clientMessageId }) =>
                world.write(sender, to, content, clientMessageId),
              );
              return (await Promise.all(sent)).map((outcome) => comparable(outcome, world));
            }),
          );
          expect(outcomes[0]).to.deep.equal(outcomes[1]);
        }
        const [one, other] = await Promise.all(worlds.map(rowsOf));
        expect(one).to.deep.equal(other);
        for (const name of worlds[0]?.statements ?? []) counts.set(name, (counts.get(name) ?? 0) + 1);
        expect(worlds[1]?.statements.filter((name) => name !== 'writeBatch')).to.deep.equal([]);
      }),
      { numRuns: 40 },
    );
    for (const name of ['writeBatch', 'writePlain', 'writeOne']) expect(counts.get(name)).to.be.above(10);
  });

  it('are not used while the rights of the sender are unknown, nor for more than a text', async () => {
    const { write, statements, users } = await newWorld();
    await write(0, 1, 'the first one');
    await write(0, 1, 'plain');
    await write(0, 1, `@${users[1]?.username}`);
    await write(1, 0, 'the first one of the other');
    expect(statements.filter((name) => name.startsWith('write'))).to.deep.equal([
      'writeBatch',
      'writeOne',
      'writeBatch',
      'writeBatch',
    ]);
  });

  it('keep the order within a chat among messages of both kinds', async () => {
    const { write, users } = await newWorld();
    await write(0, 'group', 'first');
    await write(0, 1, 'first');
    const mention = `@${users[1]?.username}`;
    const contents = Array.from({ length: 30 }, (_, n) => (n % 3 === 1 ? `${mention} ${n}` : `${n}`));
    const outcomes = await Promise.all(
      contents.flatMap((content) => [write(0, 'group', content), write(0, 1, content)]),
    );
    const seqs = outcomes.map((outcome) => ('stored' in outcome ? outcome.stored.seq : 0));
    const inOrder = contents.map((_, n) => n + 2);
    expect(seqs.filter((_, n) => n % 2 === 0)).to.deep.equal(inOrder);
    expect(seqs.filter((_, n) => n % 2 === 1)).to.deep.equal(inOrder);
  });

  for (const name of ['block', 'remove', 'admins', 'slow', 'close', 'leave', 'lose'] as const)
    it(`store no further message once this is committed: ${name}`, async () => {
      const { write, users, groupId } = await newWorld();
      const target = ['block', 'leave', 'lose'].includes(name) ? 0 : 'group';
      const sender = name === 'remove' ? 2 : 1;
      for (const content of ['one', 'two']) await write(sender, target, content);
      await database.execute(changes[name], [groupId, users.map(({ id }) => id)]);
      const outcome = await write(sender, target, 'three');
      expect('error' in outcome).to.equal(true);
    });

  it('insert in the order of the client message ids, like other nodes', async () => {
    const { write, users } = await newWorld();
    for (const to of [1, 2]) await write(0, to, 'the first one');
    const other = await database.dedicated();
    try {
      await other.query(`begin; set local lock_timeout = '500ms'`);
      const insert = (clientMessageId: string, seq: number) =>
        other.query(insertMessage, [seq, users[0]?.id, clientMessageId]);
      await insert('a in 2', 1);
      const outcomes = Promise.all([write(0, 1, 'x', 'b'), write(0, 2, 'y', 'a')]);
      await until(async () => (await database.query(waiting, [])).length > 0);
      await insert('b in 1', 2);
      await other.query('rollback');
      for (const outcome of await outcomes) expect('stored' in outcome).to.equal(true);
    } finally {
      await other.end();
    }
  });

  it('do not use rights that were read before a restart or failover of the database', async () => {
    const world = await newWorld();
    await world.write(0, 1, 'one');
    world.statements.length = 0;
    world.changed = (config) =>
      config.name?.startsWith('writeOne')
        ? { ...config, values: config.values?.with(5, '2026-01-01 00:00:00+00') as unknown[] }
        : config.name?.startsWith('writePlain')
          ? { ...config, values: config.values?.with(13, '2026-01-01 00:00:00+00') as unknown[] }
          : config;
    expect(comparable(await world.write(0, 1, 'two'), world)).to.deep.include({ seq: 2 });
    expect(world.statements).to.deep.equal(['writeOne', 'writeBatch']);
    world.statements.length = 0;
    const both = await Promise.all(['three', 'four'].map((content) => world.write(0, 1, content)));
    for (const [index, outcome] of both.entries())
      expect(comparable(outcome, world)).to.deep.include({ seq: 3 + index });
    expect(world.statements).to.deep.equal(['writePlain', 'writeBatch']);
  });
});

/** Inserts a message that belongs to no chat. */
const insertMessage = `
insert into messages (chat_id, seq, sender_id, kind, content, client_message_id, tally) values (0, $1, $2, 'text', '', $3, 0)
`;

const waiting = `select from pg_locks where not granted and locktype = 'transactionid'`;

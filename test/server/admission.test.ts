import { expect } from 'chai';
import type { Database } from '../../src/database/database.ts';
import type { ConnectionId } from '../../src/ids.ts';
import { LimitError } from '../../src/protocol/errors.ts';
import { createAdmission } from '../../src/socket/admission.ts';
import { database, newUsers, type User } from '../support/harness.ts';
import { id } from '../support/ids.ts';

/** More chats than are read together with those of other users. */
const MANY = 600;

/** Adds a user to groups and a dialog, with messages that are read in part. */
const groups = `
with made as (
  insert into chats (kind, name, created_by, last_seq) select 'group', n, $1, n from generate_series(1, $2::int) n
  returning id, last_seq
)
insert into chat_members (chat_id, user_id, first_seq) select id, $1, last_seq from made returning chat_id as id
`;

/** A connection that waits for its admission. */
const waitingConnection = (number: number, user: User, tokenVersion = 1) => ({
  id: id<ConnectionId>(number),
  session: {
    ...{ userId: user.id, tokenVersion, tokenId: `token ${number}`, since: 0, issuedAt: Date.now() },
    expiresAt: Number.POSITIVE_INFINITY,
  },
});

describe('the admission of connections', () => {
  let statements: number;
  const counted: Pick<Database, 'query'> = {
    query(statement, bind, transaction) {
      statements++;
      return database.query(statement, bind, transaction);
    },
  };
  const admissionOf = () => createAdmission({ ...database, ...counted }, true);
  beforeEach(() => {
    statements = 0;
  });

  async function peopleWith(counts: readonly number[]) {
    const people = await newUsers(counts.length);
    const ids = await Promise.all(
      counts.map(async (count, at) =>
        (await database.execute<{ id: number }>(groups, [people[at]?.id, count])).map(({ id }) => id),
      ),
    );
    return { people, ids };
  }

  it('reads the chats of all waiting connections with one statement, and those of users in many chats with one more', async () => {
    const { people, ids } = await peopleWith([3, MANY]);
    const [ada, bob] = people as [User, User];
    const waiting = [ada, bob, ada, bob, bob].map((user, id) => waitingConnection(id + 1, user));
    const { load } = admissionOf();
    const entries = await Promise.all(waiting.map((one) => load(one)));
    expect(statements).to.equal(2);
    expect(new Set(entries.map((entry) => entry?.sessionId)).size).to.equal(5);
    for (const [at, own] of [0, 1, 0, 1, 1].entries()) {
      const found = entries[at]?.groups ?? [];
      expect(found.map(({ chatId }) => chatId)).to.deep.equal(ids[own]?.toSorted((a, b) => a - b));
      for (const { seq, firstSeq } of found) expect(firstSeq).to.equal(seq);
      expect(entries[at]?.snapshot).to.match(/^\d+:\d+:/);
    }
  });

  it('reads the chats of users in many chats one user after another', async () => {
    const { people } = await peopleWith([MANY, MANY, MANY]);
    const { load } = admissionOf();
    const waiting = [...people, ...people].map((user, id) => waitingConnection(id + 1, user));
    const entries = await Promise.all(waiting.map((one) => load(one)));
    expect(statements).to.equal(1 + people.length);
    for (const entry of entries) expect(entry?.groups).to.have.lengthOf(MANY);
  });

  it('has room again for as many as were admitted', async () => {
    const nobody: Pick<Database, 'query'> = { query: async () => [] };
    const { load } = createAdmission({ ...database, ...nobody }, false);
    const [ada] = await newUsers(1);
    const connections = Array.from({ length: 10_001 }, (_, number) => waitingConnection(number, ada));
    for (let round = 0; round < 2; round++) await Promise.all(connections.map((one) => load(one)));
    expect(await load(waitingConnection(0, ada))).to.equal(undefined);
  });

  it('includes dialogs when there are other nodes, and never includes deleted groups', async () => {
    const { people, ids } = await peopleWith([2, 0]);
    const [ada, bob] = people as [User, User];
    const client = await ada.connect();
    await client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    await database.execute('update chats set closed_at = now() where id = $1', [ids[0]?.[0]]);
    const [there, alone] = [createAdmission(database, true), createAdmission(database, false)];
    const entry = await there.load(waitingConnection(1, ada));
    expect(entry?.groups.map(({ chatId }) => chatId)).to.deep.equal([ids[0]?.[1]]);
    expect(entry?.dialogs?.map(({ seq }) => seq)).to.deep.equal([1]);
    expect((await alone.load(waitingConnection(2, ada)))?.dialogs).to.equal(undefined);
  });

  it('refuses a revoked token, in a batch and alone, and rejects all connections when the database fails', async () => {
    const { people } = await peopleWith([1, MANY]);
    const [ada, bob] = people as [User, User];
    const { load } = admissionOf();
    const [one, revoked, many, manyRevoked] = await Promise.all(
      [
        waitingConnection(1, ada),
        waitingConnection(2, ada, 2),
        waitingConnection(3, bob),
        waitingConnection(4, bob, 2),
      ].map((of) => load(of)),
    );
    expect([one?.groups.length, revoked, many?.groups.length, manyRevoked]).to.deep.equal([
      ...[1, undefined, MANY, undefined],
    ]);
    const failing = createAdmission(
      { ...database, query: () => Promise.reject(new LimitError('upgrades', 'UNAVAILABLE', 'away', 1)) },
      true,
    );
    const outcomes = await Promise.allSettled(
      [ada, bob].map((user, id) => failing.load(waitingConnection(id, user))),
    );
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
  });
});

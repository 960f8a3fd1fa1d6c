import { expect } from 'chai';
import { useCluster } from '../support/cluster.ts';
import { database, newGroup, newUsers } from '../support/harness.ts';

const NODES = 3;
const WRITERS_PER_NODE = 4;
const ROUNDS = 15;

describe('ifSeq on several nodes', function () {
  this.timeout(60_000);
  const cluster = useCluster(NODES - 1);

  it('lets exactly one of many racing writers have each number', async () => {
    const users = await newUsers((NODES * WRITERS_PER_NODE) as number);
    const writers = await Promise.all(users.map((user, index) => cluster.on(user, index % NODES)));
    const [owner] = writers;
    if (!owner) throw new Error('there are no writers');
    const groupId = await newGroup(owner, ...users.slice(1));
    const start = users.length;

    /** Writes what each number is to be, always after the newest message it knows; returns the numbers that it won. */
    const race = async (client: (typeof writers)[number], index: number) => {
      const won: number[] = [];
      for (let ifSeq = start; ifSeq < start + ROUNDS; ) {
        const reply = await client.call('messageInGroup', {
          groupId,
          content: `${index} ${ifSeq + 1}`,
          ifSeq,
          ...(index % 2 && { clientMessageId: `${ifSeq}` }),
        });
        if (reply.success) {
          expect(reply.params.seq).to.equal(ifSeq + 1);
          won.push(ifSeq + 1);
        } else {
          expect(reply).to.include({ code: 'CONFLICT' });
          expect(reply.seq).to.be.above(ifSeq);
        }
        ifSeq = reply.success ? reply.params.seq : reply.seq;
      }
      return won.map((seq) => ({ seq, content: `${index} ${seq}` }));
    };

    const won = (await Promise.all(writers.map(race))).flat().sort((one, other) => one.seq - other.seq);
    expect(won.map(({ seq }) => seq)).to.deep.equal(Array.from({ length: ROUNDS }, (_, n) => start + 1 + n));
    const rows = await database.messages.findAll({
      where: { chatId: groupId, kind: 'text' },
      order: [['seq', 'asc']],
    });
    expect(rows.map(({ seq, content }) => ({ seq, content }))).to.deep.equal(won);
  });
});

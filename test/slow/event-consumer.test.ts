import { expect } from 'chai';
import type { Client } from '../support/client.ts';
import { useCluster } from '../support/cluster.ts';
import { connectAs, newKey, newUsers } from '../support/harness.ts';
import { pause } from '../support/until.ts';

const MESSAGES = 300;

/** The events that one connection received. */
interface Served {
  readonly seqs: number[];
  /** The last message of which the server has confirmed the acknowledgement. */
  acknowledged: number;
}

describe('a consumer of events', function () {
  this.timeout(120_000);
  const cluster = useCluster(0);

  it('continues on another node when its node is killed: nothing is lost, nothing acknowledged is repeated', async () => {
    const [doomed, { key }, [ada, bob]] = [
      await cluster.startProcess(),
      await newKey('events'),
      await newUsers(2),
    ];
    const subscription = { consumer: 'killed-node', types: ['message'] };

    /** Processes batches, and acknowledges them then, until the connection ends. */
    const serve = (client: Client): Served => {
      const served: Served = { seqs: [], acknowledged: 0 };
      const take = async () => {
        const { data, nextCursor: cursor } = (await client.push('subscribeEvents')).params;
        served.seqs.push(...data.map(({ seq }: { seq: number }) => seq));
        const last = served.seqs.at(-1) ?? 0;
        await client.done('acknowledgeEvents', { consumer: 'killed-node', cursor });
        served.acknowledged = last;
        return take();
      };
      take().catch(() => {}); // the connection has ended
      return served;
    };

    const first = await connectAs(key, doomed.url);
    await first.done('subscribeEvents', subscription);
    const before = serve(first);
    const writer = await cluster.on(ada, 0);
    const writing = (async () => {
      for (let n = 1; n <= MESSAGES; n++)
        await writer.done('privateMessage', { receiverId: bob.id, content: `${n}` });
    })();
    while (before.acknowledged < MESSAGES / 4) await pause(5);
    await doomed.stop('SIGKILL');

    const second = await connectAs(key, cluster.url(0));
    while ((await second.call('subscribeEvents', subscription)).code === 'CONFLICT') await pause(250);
    const after = serve(second);
    await writing;
    while (after.acknowledged < MESSAGES) await pause(20);
    const count = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
    const [begin = 0] = after.seqs;
    expect(before.seqs).to.deep.equal(count(1, before.seqs.length));
    expect(after.seqs).to.deep.equal(count(begin, MESSAGES));
    expect(begin, 'nothing is lost').to.be.at.most(before.seqs.length + 1);
    expect(begin, 'nothing acknowledged is repeated').to.be.above(before.acknowledged);
  });
});

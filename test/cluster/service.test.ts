import { expect } from 'chai';
import { revokeKey } from '../../src/auth/serviceKeys.ts';
import { useCluster } from '../support/cluster.ts';
import { connectAs, database, newKey, newUsers } from '../support/harness.ts';

describe('service connections to several nodes', function () {
  this.timeout(60_000);
  const cluster = useCluster(1);

  it('end on every node when their key is revoked', async () => {
    const { id, key } = await newKey('act');
    const services = [await connectAs(key, cluster.url(0)), await connectAs(key, cluster.url(1))];
    await revokeKey(database, id);
    expect(await Promise.all(services.map(({ closed }) => closed))).to.deep.equal([4401, 4401]);
  });

  it('push what they do as a user to all connections of the user and of others, on every node', async () => {
    const [ada, bob] = await newUsers(2);
    const service = await connectAs((await newKey('act')).key, cluster.url(0));
    const clients = [
      await cluster.on(ada, 0),
      await cluster.on(ada, 1),
      await cluster.on(bob, 0),
      await cluster.on(bob, 1),
    ];
    const params = { receiverId: bob.id, content: 'Hi' };
    const { messageId } = await service.done('privateMessage', params, { userId: ada.id });
    for (const client of clients)
      expect((await client.push('privateMessage')).params.messageId).to.equal(messageId);
  });
});

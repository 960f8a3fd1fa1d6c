import { expect } from 'chai';
import { http, newUser, type RunningServer } from './harness.ts';
import { until } from './until.ts';

/**
 * Runs the basic use of a server, from an account to a restart, on a database of its own: `start` starts a
 * server there.
 */
export async function runBasicUse(start: () => Promise<RunningServer>): Promise<void> {
  const first = await start();
  const { url } = first;
  const cursor = await (async () => {
    try {
      expect((await http('GET', '/health/ready', { url })).status).to.equal(200);
      const [ada, bob] = [await newUser(url), await newUser(url)];
      const again = await http('POST', '/auth/register', {
        body: { username: ada.username, email: bob.email, password: ada.password },
        url,
      });
      expect([again.status, again.body.code]).to.deep.equal([409, 'CONFLICT']);
      const [a, b] = [await ada.connect(), await bob.connect()];

      const group = { groupName: 'Climbers', isPrivate: false };
      const { groupId } = await a.done('newGroup', group);
      expect(await b.refused('newGroup', group)).to.equal('CONFLICT');
      await a.done('addUserInGroup', { groupId, userId: bob.id });
      await b.push('addUserInGroup');

      // Many at once, over all connections of the pool.
      const ids = Array.from({ length: 60 }, (_, n) =>
        n % 2 === 0
          ? a.send('messageInGroup', { groupId, content: `Grüße ${n} @${bob.username}` })
          : b.send('privateMessage', { receiverId: ada.id, content: `мир ${n}` }),
      );
      const replies = await Promise.all(ids.map((id, n) => (n % 2 === 0 ? a : b).reply(id)));
      expect(replies.filter(({ success }) => !success)).to.deep.equal([]);
      const { messageId, createdAt } = replies[0]?.params ?? {};
      expect(Math.abs(Date.parse(createdAt) - Date.now())).to.be.below(60_000);
      await Promise.all(
        ['👍', '🎉', '👀', '🙏'].flatMap((emoji) =>
          [a, b].map((client) => client.done('addReaction', { messageId, emoji })),
        ),
      );
      await until(async () => (await b.done('searchMessages', { query: 'Grüße' })).data.length > 0);
      const { data } = await b.done('listLastMessage', {});
      expect(data).to.have.length(2);
      expect(data[0].createdAt).to.match(/^\d{4}-\d\d-\d\dT.*Z$/);
      const { nextCursor } = await b.done('sync', {});
      return { ada, bob, groupId, nextCursor };
    } finally {
      await first.close();
    }
  })();

  const { ada, bob, groupId, nextCursor } = cursor;
  const second = await start();
  try {
    const { body } = await http('POST', '/auth/login', {
      body: { username: ada.username.toUpperCase(), password: ada.password },
      url: second.url,
    });
    expect(body.user.id).to.equal(ada.id);
    const [a, b] = [await ada.connect(second.url), await bob.connect(second.url)];
    const { seq } = await a.done('messageInGroup', { groupId, content: 'after the restart' });
    expect(seq).to.equal(33);
    const synced = await b.done('sync', { cursor: nextCursor });
    expect(JSON.stringify(synced)).to.include('after the restart').and.not.include('мир');
  } finally {
    await second.close();
  }
}

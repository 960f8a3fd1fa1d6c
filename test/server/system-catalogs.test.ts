import { expect } from 'chai';
import { database, newClients, newGroup } from '../support/harness.ts';

describe('commands with a client id', () => {
  before(() =>
    database.sequelize.query(`
      create table catalog_changes (tag text);
      create function note_catalog_change() returns event_trigger language plpgsql
        as $$ begin insert into catalog_changes values (tg_tag); end $$;
      create event trigger note_catalog_changes on ddl_command_end execute function note_catalog_change();
    `),
  );
  after(() =>
    database.sequelize.query(`
      drop event trigger note_catalog_changes;
      drop function note_catalog_change();
      drop table catalog_changes;
    `),
  );

  it('add nothing to the system catalogs, which would grow with every call', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const { messageId } = await bob.client.done('messageInGroup', { groupId, content: 'x' });
    for (const [type, params] of [
      ['createInvite', { groupId, clientInviteId: 'one' }],
      ['blockUser', { userId: bob.id }],
      ['reportMessage', { messageId, reason: 'spam' }],
      ['banUser', { groupId, userId: bob.id, reason: 'spam' }],
    ] as const)
      for (let times = 0; times < 2; times++) await ada.client.done(type, params);
    const [changes] = await database.sequelize.query('select tag from catalog_changes');
    expect(changes).to.deep.equal([]);

    const stored = await Promise.all([
      database.invites.count({ where: { chatId: groupId } }),
      database.blocks.count({ where: { userId: ada.id, blockedId: bob.id } }),
      database.reports.count({ where: { messageId, reporterId: ada.id, reason: 'spam', content: 'x' } }),
      database.bans.count({ where: { chatId: groupId, bannedBy: ada.id, reason: 'spam' } }),
    ]);
    expect(stored).to.deep.equal([1, 1, 1, 1]);
  });
});

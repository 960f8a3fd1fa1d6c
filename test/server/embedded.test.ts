import { expect } from 'chai';
import pg from 'pg';
import { database, databaseUrl } from '../support/harness.ts';

/** The databases of the tests are in one: see run.ts. */
describe('the embedded database', () => {
  it('wants the password from everybody, with every address', async () => {
    const wrong = Object.assign(new URL(databaseUrl()), { password: 'guessed' });
    const client = new pg.Client(wrong.href);
    expect(await client.connect().catch(({ code }) => code)).to.equal('28P01');
    const methods = await database.query('select distinct auth_method as method from pg_hba_file_rules', []);
    expect(methods).to.deep.equal([{ method: 'scram-sha-256' }]);
  });

  it('listens on the loopback address only', async () => {
    const [settings] = await database.query(
      `select current_setting('listen_addresses') as addresses, current_setting('unix_socket_directories') as sockets`,
      [],
    );
    expect(settings).to.deep.equal({ addresses: '127.0.0.1', sockets: '' });
  });
});

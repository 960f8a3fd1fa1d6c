import { chown, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import pg from 'pg';
import { pino } from 'pino';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/database/embedded.ts';
import { makeCertificate } from '../support/certificate.ts';
import { newUser, startServer, temporaryFolder } from '../support/harness.ts';

describe('a database that accepts TLS only', function () {
  this.timeout(180_000);
  let folder: string;
  let postgres: EmbeddedPostgres;
  let cert: string;

  before(async () => {
    folder = await temporaryFolder();
    postgres = await startEmbeddedPostgres(folder, pino({ level: 'silent' }));
    const data = join(folder, 'postgres');
    const files = makeCertificate(data);
    cert = files.cert;
    const { uid, gid } = await stat(data);
    for (const file of Object.values(files)) await chown(file, uid, gid);
    await writeFile(join(data, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256\n');
    const client = new pg.Client(postgres.url);
    await client.connect();
    for (const setting of [`ssl_cert_file = '${files.cert}'`, `ssl_key_file = '${files.key}'`, 'ssl = on'])
      await client.query(`alter system set ${setting}`);
    await client.query('select pg_reload_conf()');
    await client.end();
  });
  after(async () => {
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('is reached with TLS by every connection, as the URL says', async () => {
    const server = await startServer({
      DATABASE_URL: `${postgres.url}?sslmode=verify-full&sslrootcert=${cert}`,
    });
    const [ada, bob] = [await newUser(server.url), await newUser(server.url)];
    const client = await ada.connect();
    await client.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    await client.close();
    await server.close();
  });

  it('is refused when another authority has signed its certificate', async () => {
    const other = await temporaryFolder();
    const { cert: stranger } = makeCertificate(other);
    const started = await startServer({
      DATABASE_URL: `${postgres.url}?sslmode=verify-full&sslrootcert=${stranger}`,
    }).then(
      (server) => server.close(),
      (error) => error,
    );
    expect(started).to.be.an('error');
    await rm(other, { recursive: true, force: true });
  });
});

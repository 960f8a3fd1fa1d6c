import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { createEndpoint, newSecret } from '../../src/webhooks/endpoints.ts';
import { makeCertificate } from '../support/certificate.ts';
import { JWT_SECRET, startServer, temporaryFolder } from '../support/harness.ts';
import { type ServerProcess, startProcess } from '../support/process.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { createDatabase } from '../support/run.ts';
import { until } from '../support/until.ts';

/** Milliseconds within which another node has to continue. */
const TAKEOVER = 10_000;

describe('a webhook of a node in a process of its own', () => {
  let url: string;
  let db: Database;
  let receiver: Receiver;
  let node: ServerProcess;
  const happen = () => db.execute(`insert into events (type, user_id) values ('userUpdated', 1)`, []);
  const start = async (env: Record<string, string> = {}) =>
    startProcess({
      ...{ DATABASE_URL: url, JWT_SECRET, WEBHOOK_PRIVATE_NETWORKS: 'on', ...env },
      DATA_DIR: await temporaryFolder(),
    });
  const create = () => createEndpoint({ db, keptDays: 7 }, receiver.url, null, newSecret());

  beforeEach(async () => {
    url = await createDatabase();
    db = openDatabase(url, 4);
  });
  afterEach(async () => {
    await node.stop('SIGKILL');
    await receiver.close();
    await db.close();
  });

  it('is continued by another node within ten seconds of its death, with the batch that was under way', async () => {
    receiver = await startReceiver([200, null]);
    node = await start();
    await create();
    await happen();
    await until(() => receiver.received.length === 1);
    const other = await startServer({ DATABASE_URL: url });
    await happen();
    await until(() => receiver.received.length === 2);

    receiver.answers = [200];
    await node.stop('SIGKILL');
    await until(() => receiver.received.length >= 3, TAKEOVER);
    await happen();
    await until(() => receiver.received.length >= 4);
    const [first, attempted, again, last] = receiver.received.map(({ id }) => id);
    expect(again).to.equal(attempted);
    expect(new Set([first, attempted, last]).size).to.equal(3);
    expect(receiver.received).to.have.length(4);
    await other.stop();
  });

  it('is delivered with TLS to a receiver whose certificate the process trusts', async () => {
    const { cert, key } = makeCertificate(await temporaryFolder());
    receiver = await startReceiver([200], { cert: await readFile(cert), key: await readFile(key) });
    node = await start({ NODE_EXTRA_CA_CERTS: cert });
    await create();
    await happen();
    await until(() => receiver.received.length === 1);
    expect(receiver.received[0]?.events.map(({ type }) => type)).to.deep.equal(['userUpdated']);
  });
});

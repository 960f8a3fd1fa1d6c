import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { createListener } from '../../src/net/listener.ts';
import { uWS } from '../../src/net/uws.ts';
import { makeCertificate } from '../support/certificate.ts';
import { open } from '../support/client.ts';
import {
  databaseUrl,
  JWT_SECRET,
  newGroup,
  newUsers,
  temporaryFolder,
  type User,
} from '../support/harness.ts';
import { type Failure, type ServerProcess, startProcess } from '../support/process.ts';

/** `LIBUS_LISTEN_EXCLUSIVE_PORT` of the library. */
const EXCLUSIVE = 1;

describe('a server that speaks TLS', function () {
  this.timeout(180_000);
  let folder: string;
  let files: { cert: string; key: string };
  let server: ServerProcess;

  before(async () => {
    folder = await temporaryFolder();
    files = makeCertificate(folder);
    server = await start(files);
  });
  after(async () => {
    await server?.stop('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  const start = ({ cert, key }: { cert: string; key: string }) =>
    startProcess({ DATABASE_URL: databaseUrl(), JWT_SECRET, TLS_CERT: cert, TLS_KEY: key });
  const connect = async ({ token }: User) => {
    const headers = { authorization: `Bearer ${token}` };
    return open(new WebSocket(`wss://127.0.0.1:${server.port}`, { ca: await readFile(files.cert), headers }));
  };
  const fingerprint = () =>
    new Promise<string>((resolve, reject) => {
      const socket: TLSSocket = connectTls(
        { port: server.port, host: '127.0.0.1', rejectUnauthorized: false },
        () => {
          resolve(socket.getPeerCertificate().fingerprint256);
          socket.destroy();
        },
      ).on('error', reject);
    });
  const get = async (path: string) => {
    const ca = await readFile(files.cert);
    return new Promise<{ status?: number; headers: Record<string, unknown>; body: string }>(
      (resolve, reject) => {
        request({ host: '127.0.0.1', port: server.port, path, ca }, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (chunk) => {
            body += chunk;
          });
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          );
        })
          .on('error', reject)
          .end();
      },
    );
  };

  it('takes another free port when somebody takes the first one before it listens', async () => {
    const settings = {
      host: '127.0.0.1',
      port: 0,
      sharesPort: false,
      tlsCert: files.cert,
      tlsKey: files.key,
    };
    const listener = await createListener(settings, pino({ level: 'silent' }));
    const other = uWS.App();
    let taken = 0;
    await listener.listen(() => {
      taken ||= listener.port;
      if (taken === listener.port) other.listen(taken, EXCLUSIVE, () => {});
    });
    expect(listener.port).to.be.above(0).and.not.equal(taken);
    await listener.stop();
    listener.close();
    other.close();
  });

  it('serves HTTPS and WSS with HSTS, and does not answer plain clients', async () => {
    const listening = server.log.find(({ msg }) => msg === 'listening');
    expect(listening?.url).to.equal(`https://localhost:${server.port}`);
    const page = await get('/');
    expect([page.status, page.headers['strict-transport-security']]).to.deep.equal([200, 'max-age=31536000']);
    const expires = /^parley_certificate_expires_timestamp_seconds (\S+)$/m.exec(
      (await get('/metrics')).body,
    );
    expect(Number(expires?.[1]) * 1000 - Date.now()).to.be.within(0, 25 * 3_600_000);
    const refused = await fetch(`http://127.0.0.1:${server.port}/`).catch((error) => error);
    expect(refused).to.be.an('error');
  });

  it('opens many sockets at once', async () => {
    const users = await newUsers(20);
    const clients = await Promise.all([...users, ...users].map(connect));
    const replies = await Promise.all(clients.map((client) => client.call('ping')));
    expect(replies.every(({ success }) => success)).to.equal(true);
    for (const client of clients) await client.close();
  });

  it('uses a new certificate for new connections, keeps existing ones, and refuses none', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await connect(ada), await connect(bob)];
    const groupId = await newGroup(a, bob);
    await b.push('addUserInGroup');
    const before = await fingerprint();

    await writeFile(files.key, 'half a key');
    const deadline = Date.now() + 20_000;
    const hasFailed = () => server.log.some(({ msg }) => msg === 'failed to renew certificate');
    while (!hasFailed() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(hasFailed()).to.equal(true);
    expect(await fingerprint()).to.equal(before);

    const next = makeCertificate(await temporaryFolder());
    await copyFile(next.cert, files.cert);
    await copyFile(next.key, files.key);
    while ((await fingerprint().catch(() => before)) === before && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await fingerprint()).to.not.equal(before);

    const phone = await connect(ada); // with the new authority
    const { seq } = await a.done('messageInGroup', { groupId, content: 'from an old connection' });
    for (const client of [b, phone]) expect((await client.push('messageInGroup')).params.seq).to.equal(seq);
    await phone.done('messageInGroup', { groupId, content: 'from a new one' });
    for (const client of [a, b])
      expect((await client.push('messageInGroup')).params.message).to.equal('from a new one');
    for (const client of [a, phone])
      expect((await client.rest()).filter(({ type }) => type === 'messageInGroup')).to.deep.equal([]);
  });

  it('refuses to start with files that are missing or do not match', async () => {
    const other = makeCertificate(await temporaryFolder());
    const reason = (files: { cert: string; key: string }) =>
      start(files).then(
        () => 'it started',
        ({ stderr }: Failure) => stderr,
      );
    expect(await reason({ cert: files.cert, key: other.key })).to.match(
      /^TLS_CERT and TLS_KEY hold no certificate and key that belong together: .+\n$/,
    );
    expect(await reason({ cert: join(folder, 'none.pem'), key: files.key })).to.match(
      /^TLS_CERT names .*none\.pem, which cannot be read \(ENOENT\); expected a file in PEM\n$/,
    );
  });
});

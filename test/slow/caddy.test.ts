import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { type Caddy, startCaddy } from '../support/caddy.ts';
import { open } from '../support/client.ts';
import { newUser, type RunningServer, startServer, temporaryFolder } from '../support/harness.ts';
import { isInstalled } from '../support/installed.ts';
import { until } from '../support/until.ts';

describe('behind the Caddy of docs/operations.md', function () {
  this.timeout(60_000);
  let node: RunningServer;
  let caddy: Caddy;
  let folder: string;
  /** A node that is not ready, and the paths of the requests that it receives. */
  let stopping: Server;
  const received: string[] = [];

  before(async function () {
    if (!isInstalled('caddy', 'version')) {
      console.log('      skipped: there is no caddy here');
      return this.skip();
    }
    folder = await temporaryFolder();
    node = await startServer({ TRUST_PROXY: '127.0.0.1' });
    stopping = createServer(({ url = '' }, answer) => {
      received.push(url);
      answer.writeHead(503).end();
    }).listen(0, '127.0.0.1');
    await once(stopping, 'listening');
    caddy = await startCaddy(folder, (stopping.address() as AddressInfo).port, node.port);
    await until(() => received.filter((path) => path === '/health/ready').length >= 2);
  });
  after(async () => {
    await caddy?.stop();
    stopping?.close();
    await node?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('a WebSocket and calls pass, with the address of the client whatever headers it sends', async () => {
    const ada = await newUser(caddy.url);
    const headers = {
      authorization: `Bearer ${ada.token}`,
      'x-forwarded-for': ['203.0.113.2', '203.0.113.3'],
      forwarded: 'for=203.0.113.5',
      'x-real-ip': '203.0.113.5',
    };
    const url = `ws://127.0.0.1:${caddy.port}/`;
    const client = await open(new WebSocket(url, { headers: headers as never, localAddress: '127.0.0.9' }));
    expect((await client.done('listSessions')).data[0].address).to.equal('127.0.0.9');
    await client.close();
  });

  it('a node that is not ready receives health checks alone', async () => {
    const before = received.length;
    const { token } = await newUser();
    for (let n = 0; n < 4; n++) {
      const client = await open(new WebSocket(`ws://127.0.0.1:${caddy.port}/?token=${token}`));
      await client.done('ping');
      await client.close();
    }
    expect(received.slice(before).filter((path) => path !== '/health/ready')).to.deep.equal([]);
  });
});

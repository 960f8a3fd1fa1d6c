import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { parse } from 'yaml';
import { accounts } from '../../src/client/node.ts';
import { RawSocket, readAnswer } from '../fuzz/raw.ts';
import { newWindow, sendMessage, textsIn, withBrowser } from '../page/browser.ts';
import { open } from '../support/client.ts';
import {
  http,
  newUser,
  type RunningServer,
  startServer,
  temporaryFolder,
  typedClient,
} from '../support/harness.ts';
import { isInstalled } from '../support/installed.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';

describe('behind the nginx of docs/operations.md', function () {
  this.timeout(180_000);
  let node: RunningServer;
  let nginx: Nginx;
  let folder: string;

  before(async function () {
    if (!isInstalled('nginx', '-v')) {
      console.log('      skipped: there is no nginx here');
      return this.skip();
    }
    folder = await temporaryFolder();
    node = await startServer({ TRUST_PROXY: '127.0.0.1' });
    nginx = await startNginx(folder, node.port);
  });
  after(async () => {
    await nginx?.stop();
    await node?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('a WebSocket and calls pass, with the address of the client whatever headers it sends', async () => {
    const ada = await newUser(nginx.url);
    const headers = {
      authorization: `Bearer ${ada.token}`,
      'x-forwarded-for': ['203.0.113.2', '203.0.113.3'],
      forwarded: 'for=203.0.113.5',
    };
    const url = `ws://127.0.0.1:${nginx.port}/`;
    const client = await open(new WebSocket(url, { headers: headers as never, localAddress: '127.0.0.9' }));
    expect((await client.done('listSessions')).data[0].address).to.equal('127.0.0.9');
    await client.close();
  });

  it('a WebSocket passes over TLS', async () => {
    const { token } = await newUser(nginx.url);
    const { port, ca } = nginx.tls;
    const client = await open(new WebSocket(`wss://127.0.0.1:${port}/?token=${token}`, { ca }));
    await client.done('ping');
    await client.close();
  });

  it('a WebSocket is sent to the next node when one refuses it, as during a stop', async () => {
    let refusals = 0;
    const stopping = createServer((_, answer) => {
      refusals++;
      answer.writeHead(503).end();
    }).listen(0, '127.0.0.1');
    await once(stopping, 'listening');
    const both = await temporaryFolder();
    const port = (stopping.address() as AddressInfo).port;
    const balancer = await startNginx(both, port, node.port);
    try {
      const { token } = await newUser();
      for (let n = 0; n < 4; n++) {
        const socket = new WebSocket(`ws://127.0.0.1:${balancer.port}/?token=${token}`);
        await (await open(socket)).done('ping');
      }
      expect(refusals).to.be.greaterThan(1);
    } finally {
      await balancer.stop();
      stopping.close();
      await rm(both, { recursive: true, force: true });
    }
  });

  it('a request after a header line without a name does not pass', async () => {
    const raw = new RawSocket(nginx.port);
    const hidden = 'GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n';
    const lines = ['Host: x', ': y', `Content-Length: ${hidden.length}`, 'Connection: close'];
    raw.socket.write(`GET /icon.svg HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${hidden}`);
    const answers = await raw.ended();
    expect(readAnswer(answers)?.status).to.be.oneOf([200, 400]);
    expect(String(answers)).not.to.include('/hidden');
  });

  describe('below a path', () => {
    it('the pages load everything below the path, and nothing from the rest of the host', async () => {
      const get = (path: string) => http('GET', path, { url: new URL(nginx.prefixed).origin });
      expect((await get('/')).status).to.equal(404); // not a page of this server
      const found = new Map<string, string>();
      async function follow(path: string): Promise<void> {
        if (found.has(path)) return;
        const { status, headers, body } = await get(path);
        found.set(path, body);
        const location = headers.get('location');
        if (location) return follow(new URL(location, `http://x${path}`).pathname);
        expect(status, path).to.equal(200);
        if (/\.(css|svg)$|search\.js/.test(path)) return;
        const links = String(body).matchAll(
          /(?:\bsrc=|\bhref=|schemaUrl=|cssImportPath=|url: |"src": |"start_url": |href:)["'`]([^"'`#]+)/g,
        );
        for (const [, link = ''] of links)
          if (!/^(data|https?):/.test(link))
            await follow(new URL(link, `http://x${scriptBase(path)}`).pathname);
      }
      for (const path of ['/chat/', '/chat/docs', '/chat/api', '/chat/client.js']) await follow(path);
      const paths = [...found.keys()];
      expect(paths).to.include.members(
        [
          ...[
            'manifest.webmanifest',
            'icon.svg',
            'docs/',
            'docs/style.css',
            'docs/search.js',
            'docs/commands/ping',
          ],
          ...['asyncapi.yaml', 'api/', 'openapi.yaml'],
        ].map((path) => `/chat/${path}`),
      );
      expect(paths.filter((path) => !path.startsWith('/chat/'))).to.deep.equal([]);

      const { servers } = parse(found.get('/chat/openapi.yaml') ?? '');
      const base = new URL(servers[0].url, `${nginx.prefixed}/openapi.yaml`).href;
      expect(base).to.equal(`${nginx.prefixed}/`);
    });

    it('the typed client works, with and without a trailing slash', async () => {
      for (const url of [nginx.prefixed, `${nginx.prefixed}/`, `${nginx.prefixed}/ws`]) {
        const { username, password } = await newUser(nginx.url);
        const { token } = await accounts(url).login({ username, password });
        const client = typedClient({ token }, { url });
        await client.online();
        expect(client.self?.username).to.equal(username);
      }
    });

    describe('in a browser', () => {
      withBrowser();

      it('the page works, from a registration to a message', async () => {
        const { username } = await newUser(nginx.url);
        const page = await newWindow();
        const wrong: string[] = [];
        page.on('response', (response) => {
          const { pathname } = new URL(response.url());
          if (response.status() >= 400 || !pathname.startsWith('/chat'))
            wrong.push(`${response.status()} ${pathname}`);
        });
        await page.goto(nginx.prefixed);
        await page.getByLabel('Email').fill(`${username}-x@example.com`);
        await page.getByLabel('Username').fill(`${username}-x`);
        await page.getByLabel('Password').fill('correct horse');
        await page.getByRole('button', { name: 'Create account' }).click();
        await page.getByText('No chats yet').waitFor();
        await page.getByRole('searchbox').fill(username);
        await page.getByRole('link', { name: `${username} Write` }).click();
        await sendMessage(page, 'Hello');
        await page.reload();
        await page.locator('.message .text').first().waitFor();
        expect(await textsIn(page)).to.deep.equal(['Hello']);
        expect(wrong).to.deep.equal([]);
      });
    });
  });
});

/** Returns the base of the URLs in a file: those in scripts and the manifest are relative to their page. */
const scriptBase = (path: string) => path.replace(/\/assets\/.*/, '/');

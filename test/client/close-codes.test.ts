import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { mock } from 'node:test';
import { expect } from 'chai';
import { WebSocketServer } from 'ws';
import type { ParleyError } from '../../src/client/index.ts';
import { typedClient } from '../support/harness.ts';

/** Starts a server that closes each connection with the next of some codes, and keeps the tokens that it received. */
async function startClosingServer(...codes: number[]) {
  const tokens: (string | undefined)[] = [];
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  server.on('connection', (socket, { headers }) => {
    tokens.push(headers.authorization?.replace('Bearer ', ''));
    socket.close(codes.shift() ?? 1000);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, tokens, close: () => server.close() };
}

describe('the typed client of a server that closes with codes it does not know', () => {
  beforeEach(() => mock.method(Math, 'random', () => 1)); // no pauses

  /** Resolves to the error with which a client closes, and the tokens that it sent until then. */
  async function endOf(codes: number[], token: string | (() => string)) {
    const server = await startClosingServer(...codes);
    const client = typedClient({ token: '' }, { url: server.url, token });
    const { code, message } = await client.online().then(
      () => expect.fail('the client is online'),
      (error: ParleyError) => error,
    );
    server.close();
    return { code, message, state: client.state, tokens: server.tokens };
  }

  it('reconnects after those that ask for it, and stops after one that forbids it', async () => {
    const codes = [1001, 1012, 4000, 4150, 4399, 4400, 4429, 4499, 4600];
    expect(await endOf([...codes], 'token')).to.deep.equal({
      code: 'FORBIDDEN',
      message: 'The server refuses another connection (4600)',
      state: 'closed',
      tokens: codes.map(() => 'token'),
    });
  });

  it('requests no fresh token when a reconnect is forbidden', async () => {
    const fresh = ['first', 'second'];
    const { code, tokens } = await endOf([4150, 4999], () => fresh.shift() ?? '');
    expect([code, tokens, fresh]).to.deep.equal(['FORBIDDEN', ['first', 'first'], ['second']]);
  });

  it('reconnects after 4401 with a fresh token, and stops when it gets the same token again', async () => {
    const fresh = ['first', 'second', 'second'];
    const { code, tokens } = await endOf([4401, 4401], () => fresh.shift() ?? '');
    expect([code, tokens]).to.deep.equal(['UNAUTHORIZED', ['first', 'second']]);
    expect(await endOf([4401], 'fixed')).to.include({ code: 'UNAUTHORIZED', state: 'closed' });
  });
});

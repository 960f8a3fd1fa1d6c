import { expect } from 'chai';
import fc, { type Arbitrary } from 'fast-check';
import { registry } from '../../src/commands/registry.ts';
import { routes } from '../../src/http/routes.ts';
import { type ErrorCode, errorCodes } from '../../src/protocol/errors.ts';
import type { Client } from '../support/client.ts';
import { connectService, http, newUser } from '../support/harness.ts';
import { expectAnswer, isRight } from './answers.ts';
import { breach, cut, encodeCall, type HttpCall, httpCall } from './bytes.ts';
import { frame, objectLike } from './json.ts';
import {
  clientFrame,
  Opcode,
  openRawWebSocket,
  type RawAnswer,
  RawSocket,
  readAnswer,
  serverFrames,
} from './raw.ts';
import { newWorld } from './world.ts';

/** Factor for the number of runs, and the random seed: by default every run of the tests tries the same values. */
const MORE = Number(process.env.FUZZ_RUNS ?? 1);
const seed = Number(process.env.FUZZ_SEED ?? 1);

/** Checks a property on values of an arbitrary; a failure reports the smallest failing value. */
async function always<T>(arbitrary: Arbitrary<T>, numRuns: number, property: (value: T) => Promise<void>) {
  await fc.assert(fc.asyncProperty(arbitrary, property), {
    numRuns,
    seed,
    interruptAfterTimeLimit: 15_000 * MORE, // before the timeout of mocha, which would report no value
  });
}

/** Checks that a well-behaved user is still served. */
const expectServed = async (client: Client) => expect((await client.call('ping')).success).to.equal(true);

/** Values that look like the user of a request, and name nobody. */
const references = fc.record(
  {
    userId: fc.oneof(fc.integer({ max: 0 }), fc.double(), fc.constantFrom(2 ** 31, 2 ** 53 - 1, 2 ** 53)),
    externalId: fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer()),
    extra: fc.jsonValue(),
  },
  { requiredKeys: [] },
);

/** Commands that return data stored by others. */
const READING = ['listLastMessage', 'listGroups', 'listUsers', 'getProfile', 'listSessions'];

describe('arbitrary input', function () {
  this.timeout(60_000 * MORE);

  it('is answered frame by frame, in order, and the connection stays open', async () => {
    const client = await (await newUser()).connect();
    const staying = [...registry.keys()].filter((type) => type !== 'endSession'); // which ends this one by default
    const frames = fc.array(frame(staying), { minLength: 1, maxLength: 20 });
    await always(frames, 150 * MORE, async (sent) => {
      for (const each of sent) client.socket.send(each);
      for (const each of sent) {
        const answer = await client.next();
        expectAnswer(answer, each);
        expect({ type: answer.type, id: answer.id }).to.deep.equal(addressOf(each));
      }
      expect(await client.rest()).to.deep.equal([]);
    });
  });

  it('as the user of a request is refused, unless it is a service connection and names a user', async () => {
    const user = await newUser();
    const [client, service] = [await user.connect(), await connectService('act')];
    await always(fc.oneof(fc.jsonValue(), references), 200 * MORE, async (as) => {
      expect(await client.refused('listLastMessage', {}, as)).to.equal('BAD_REQUEST');
      expect(await service.refused('listLastMessage', {}, as)).to.be.oneOf(['BAD_REQUEST', 'NOT_FOUND']);
    });
    await expectServed(client);
    await service.done('listLastMessage', {}, { userId: user.id });
  });

  for (const { type, params } of registry.values())
    it(`succeeds only with valid params, and never causes an internal error: ${type}`, async () => {
      const { callers, known } = await newWorld();
      const [ada] = callers;
      await always(objectLike(params, known), 25 * MORE, async (json) => {
        await ada.call(type, json);
        await ada.reconnect();
      });
      for (const reading of READING) await ada.call(reading, '{}'); // stored data is returned in the right form
    });

  it('is accepted from several users and connections at the same time', async () => {
    for (let round = 0; round < 4 * MORE; round++) {
      const { callers, known } = await newWorld();
      const calls = [...registry.values()].map(({ type, params }) =>
        fc.record({
          caller: fc.constantFrom(...callers.keys()),
          type: fc.constant(type),
          params: objectLike(params, known),
        }),
      );
      await always(fc.array(fc.oneof(...calls), { minLength: 20, maxLength: 100 }), 8, async (all) => {
        await Promise.all(all.map(({ caller, type, params }) => callers[caller]?.call(type, params)));
        await Promise.all(callers.map((caller) => caller.reconnect()));
      });
    }
  });

  it('is accepted in any fragments, split anywhere, with pings in between', async () => {
    const { token } = await newUser();
    const offsets = fc.array(fc.nat(), { maxLength: 8 });
    const cuts = fc.record({
      id: fc.string({ unit: 'binary' }),
      offsets,
      packets: offsets,
      ping: fc.boolean(),
    });
    await always(cuts, 60 * MORE, async ({ id, offsets, packets, ping }) => {
      const raw = await openRawWebSocket(token);
      const fragments = cut(Buffer.from(JSON.stringify({ type: 'ping', id })), offsets);
      const frames = fragments.flatMap((payload, index) => [
        ...(ping ? [clientFrame({ payload: Buffer.from(`${index}`), opcode: Opcode.ping })] : []),
        clientFrame({
          payload,
          opcode: index === 0 ? Opcode.text : Opcode.continuation,
          fin: index === fragments.length - 1,
        }),
      ]);
      for (const packet of cut(Buffer.concat(frames), packets)) {
        raw.socket.write(packet);
        await new Promise(setImmediate);
      }
      const answers = await raw.until((bytes) => {
        const all = serverFrames(bytes);
        return all.at(-1)?.opcode === Opcode.text ? all : undefined;
      }, 'an answer');
      expect(JSON.parse(String(answers.pop()?.payload))).to.include({ success: true, id });
      expect(answers.map(({ opcode, payload }) => `${opcode} ${payload}`)).to.deep.equal(
        ping ? fragments.map((_, index) => `${Opcode.pong} ${index}`) : [],
      );
      raw.socket.destroy();
    });
  });

  it('closes the connection that violates the WebSocket protocol, and no other', async () => {
    const witness = await (await newUser()).connect();
    const { token } = await newUser();
    await always(breach, 150 * MORE, async (frames) => {
      const raw = await openRawWebSocket(token);
      raw.socket.write(Buffer.concat(frames.map(clientFrame)));
      const answers = serverFrames(await raw.ended());
      expect(answers.filter(({ opcode }) => opcode !== Opcode.close)).to.deep.equal([]);
      await expectServed(witness);
    });
  });

  it('affects no other connection when it is not WebSocket, has no mask, or ends too early', async () => {
    const witness = await (await newUser()).connect();
    const { token } = await newUser();
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
    const unmasked = bytes.map((payload) => clientFrame({ payload, masked: false }));
    const shorter = fc
      .record({ payload: bytes, length: fc.integer({ min: 301, max: 70_000 }) })
      .map(clientFrame);
    const anything = fc.array(fc.oneof(bytes, unmasked, shorter), { minLength: 1, maxLength: 5 });
    await always(anything, 100 * MORE, async (parts) => {
      const raw = await openRawWebSocket(token);
      raw.socket.end(Buffer.concat(parts));
      await expectServed(witness);
      for (const { opcode, payload } of serverFrames(await raw.ended()))
        if (opcode === Opcode.text) expectAnswer(JSON.parse(String(payload)), 'anything');
    });
  });

  for (const route of routes)
    it(`is answered over HTTP too: ${route.method} ${route.path}`, async () => {
      let caller = await newUser();
      const password = fc.constant(caller.password);
      const known = { password, currentPassword: password, username: fc.constant(caller.username) };
      await always(httpCall(route, known), 60 * MORE, async (call) => {
        const isOwn = call.authorization === 'own';
        const answer = await exchange(isOwn ? { ...call, authorization: `Bearer ${caller.token}` } : call);
        expectHttpAnswer(answer, call);
        const isChange = call.method === route.method && call.path === route.path && route.body;
        if (answer.status >= 300 || !isChange) return;
        expect(isRight(route.body, JSON.parse(String(call.body))), JSON.stringify(call)).to.equal(true);
        if (!route.authenticated) return;
        expect(isOwn, `a call without a valid token succeeded: ${JSON.stringify(call)}`).to.equal(true);
        caller = await newUser(); // the caller has another password now, or is deleted
      });
      expect((await http('GET', '/health/ready')).status).to.equal(200);
    });

  it('affects no other connection when it is not HTTP', async () => {
    const call = fc.oneof(...routes.map((route) => httpCall(route, {})));
    const headers = ['content-length: 3', 'transfer-encoding: chunked', 'x: y\r\n'.repeat(200)];
    const wrong = fc.constantFrom(
      ...['\0', '\r', '\n', '\r\n', '\r\n\r\n', ' ', ':', '\xff', '-1', '9'.repeat(20), 'x'.repeat(100_000)],
      ...headers.map((header) => `\r\n${header}\r\n`),
    );
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(20), wrong), { minLength: 1, maxLength: 3 });
    await always(fc.tuple(call, damage, fc.nat()), 150 * MORE, async ([whole, damages, end]) => {
      let bytes = encodeCall(whole);
      for (const [offset, removed, added] of damages) {
        const at = offset % Math.min(bytes.length + 1, 300);
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(added, 'latin1'),
          bytes.subarray(at + removed),
        ]);
      }
      const raw = new RawSocket();
      raw.socket.end(end % 3 === 0 ? bytes.subarray(0, end % bytes.length) : bytes);
      for (const [, status] of String(await raw.ended()).matchAll(/^HTTP\/1\.1 (\d+)/gm))
        if (status !== '505') expect(Number(status)).to.be.within(200, 499); // 505: it is not HTTP/1.1
      expect((await http('GET', '/health/ready')).status).to.equal(200);
    });
  });
});

async function exchange(call: HttpCall): Promise<RawAnswer> {
  const raw = new RawSocket();
  raw.socket.write(encodeCall(call));
  const isHead = call.method.toUpperCase() === 'HEAD';
  const answer = await raw.until(
    (bytes) => readAnswer(bytes, isHead),
    `an answer to ${JSON.stringify(call)}`,
  );
  raw.socket.destroy();
  return answer;
}

function expectHttpAnswer({ status, headers, body }: RawAnswer, call: HttpCall): void {
  const what = `${JSON.stringify(call)} was answered ${status} ${body}`.slice(0, 5_000);
  expect(status, what).to.be.within(101, 499);
  if (status < 400 || call.method.toUpperCase() === 'HEAD') return;
  expect(headers['content-type'], what).to.match(/^application\/json/);
  const error = JSON.parse(body);
  expectAnswer(error, what);
  expect(error).to.include({ error: true });
  expect(errorCodes[error.code as ErrorCode].status, what).to.equal(status);
}

/** Returns the type and id that the answer to a frame must have. */
function addressOf(sent: string | Buffer): { type: string; id: unknown } {
  let request: { type?: unknown; id?: unknown } | null = null;
  try {
    if (typeof sent === 'string') request = JSON.parse(Buffer.from(sent).toString());
  } catch {
    // no JSON has no address
  }
  const isObject = typeof request === 'object' && !Array.isArray(request);
  const { type, id } = (isObject && request) || {};
  const isId = typeof id === 'string' || Number.isSafeInteger(id);
  return { type: typeof type === 'string' ? type : 'unknown', id: isId ? (id === 0 ? 0 : id) : undefined };
}

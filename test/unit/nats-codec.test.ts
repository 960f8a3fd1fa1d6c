import { expect } from 'chai';
import type { BusMessage, NodeMessage } from '../../src/bus/bus.ts';
import { type Addressed, decode, decodeBatch, encode, encodeBatch } from '../../src/bus/nats/codec.ts';
import type { Topic } from '../../src/bus/topics.ts';
import type { ChatId, ConnectionId, UserId } from '../../src/ids.ts';
import { id } from '../support/ids.ts';

type Push = Extract<BusMessage, { readonly frame: string }>;

/** Encodes and decodes one message, alone and in a batch, which must give the same result. */
function roundTrip(message: NodeMessage): NodeMessage {
  const decoded = decode(encode(message));
  const neighbour: Addressed = { topics: ['user:1'], message: { frame: 'ä👍' } };
  const batch = encodeBatch([neighbour, { topics: ['user:2'], message }, neighbour]);
  expect(receivedFrom(batch, ['user:2'])).to.deep.equal([['user:2', decoded]]);
  return decoded;
}

function receivedFrom(batch: Buffer, subscribed: readonly Topic[]): [Topic, NodeMessage][] {
  const received: [Topic, NodeMessage][] = [];
  decodeBatch(batch, new Set(subscribed), (topic, message) => received.push([topic, message]));
  return received;
}

describe('messages between nodes', () => {
  it('carry every field of a push except its origin', () => {
    // `Required`: a field that is added to a push has to be added here.
    const push: Required<Push> = {
      frame: '{"type":"editMessage"}\nsecond line, with ä and 👍',
      except: 7 as ConnectionId,
      exceptUsers: [id(3), id(4)],
      position: { chatId: id(12), seq: 34 },
      membership: { joined: [5 as UserId], firstSeq: 2, left: [6 as UserId], closes: true },
      about: { chatId: id(12), head: 40, seq: 34, version: 3, part: 'content' },
      isTransient: true,
    };
    const { except: _, ...expected } = push;
    const origin = { node: 'abc', number: 9 };
    expect(roundTrip({ ...push, origin })).to.deep.equal({ ...expected, origin });
  });

  it('have the names that nodes of earlier releases know', () => {
    const header = { place: { chatId: 1, seq: 2 }, isPassing: true };
    const message: NodeMessage = { frame: '{}', position: { chatId: id(1), seq: 2 }, isTransient: true };
    expect(JSON.parse(encode(message).slice(0, -'\n{}'.length))).to.deep.equal(header);
    expect(decode(`${JSON.stringify(header)}\n{}`)).to.deep.equal(message);
    expect(encodeBatch([{ topics: ['user:1'], message }]).toString()).to.equal(
      `[["user:1",2,${JSON.stringify(header)}]]\n{}`,
    );
  });

  it('carry a push that has only a frame', () => {
    expect(roundTrip({ frame: '{}' })).to.deep.equal({ frame: '{}' });
  });

  it('carry a chat message as its position only', () => {
    const message = { frame: '{"message":"Zoë"}', position: { chatId: 3 as ChatId, seq: 4 } };
    expect(roundTrip({ ...message, except: 7 as ConnectionId, membership: undefined })).to.deep.equal(
      message,
    );
  });

  it('carry a chat message with each of its other fields', () => {
    const message = { frame: '{}', position: { chatId: id<ChatId>(3), seq: 4 } };
    const fields: Partial<Push & { origin: object }>[] = [
      { exceptUsers: [id(3)] },
      { membership: { joined: [id(5)], firstSeq: 2 } as never },
      { about: { chatId: id(3), head: 4 } },
      { isTransient: true },
      { origin: { node: 'abc', number: 9 } },
    ];
    for (const field of fields) {
      const full = { ...message, ...field } as NodeMessage;
      expect(roundTrip(full)).to.deep.equal(full);
    }
  });

  it('carry signals and heads', () => {
    const messages: NodeMessage[] = [
      { signal: { kind: 'joined', chatId: id(1), seq: 2 } },
      { signal: { kind: 'reconcile' } },
      { signal: { kind: 'revoked', tokenVersion: 3 } },
      { signal: { kind: 'ended', sessionId: id(4), tokenId: 'a' } },
      { signal: { kind: 'othersEnded', sessionId: id(5) } },
      { signal: { kind: 'unwatch', userId: id(6) } },
      { head: { chatId: id(7), seq: 8 } },
    ];
    for (const message of messages) expect(roundTrip(message)).to.deep.equal(message);
  });

  it('are decoded from a batch in its order, for the subscribed topics', () => {
    const [one, two, three]: NodeMessage[] = [
      { frame: 'é1', position: { chatId: 1 as ChatId, seq: 1 } },
      { signal: { kind: 'reconcile' } },
      { frame: '三', isTransient: true },
    ];
    const batch = encodeBatch([
      { topics: ['user:1', 'user:2'], message: one as NodeMessage },
      { topics: ['user:1'], message: two as NodeMessage },
      { topics: ['chat:12', 'user:2'], message: three as NodeMessage },
    ]);
    expect(receivedFrom(batch, [])).to.deep.equal([]);
    expect(receivedFrom(batch, ['chat:1', 'user:12'])).to.deep.equal([]);
    expect(receivedFrom(batch, ['user:2'])).to.deep.equal([
      ['user:2', one],
      ['user:2', three],
    ]);
    expect(receivedFrom(batch, ['chat:12', 'user:2', 'user:1'])).to.deep.equal([
      ['user:1', one],
      ['user:2', one],
      ['user:1', two],
      ['chat:12', three],
      ['user:2', three],
    ]);
  });

  it('are refused in any other form', () => {
    expect(() => decode('nonsense')).to.throw(SyntaxError);
    expect(() => decode('nonsense\n{}')).to.throw(SyntaxError);
    expect(() => receivedFrom(Buffer.from('nonsense'), ['user:1'])).to.throw(SyntaxError);
    expect(() => receivedFrom(Buffer.from('nonsense\n{}'), ['user:1'])).to.throw(SyntaxError);
  });
});

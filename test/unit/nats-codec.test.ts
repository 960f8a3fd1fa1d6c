import { expect } from 'chai';
import type { BusMessage, NodeMessage } from '../../src/bus/bus.ts';
import { decode, encode } from '../../src/bus/nats/codec.ts';
import type { ConnectionId, UserId } from '../../src/ids.ts';

type Push = Extract<BusMessage, { readonly frame: string }>;

describe('messages between nodes', () => {
  it('carry every field of a push but the connection that caused it', () => {
    // `Required`: a field that is added to a push has to be added here.
    const push: Required<Push> = {
      frame: '{"type":"editMessage"}\nsecond line, with ä and 👍',
      except: 7 as ConnectionId,
      exceptUsers: [3, 4],
      place: { chatId: 12, seq: 34 },
      membership: { joined: [5 as UserId], firstSeq: 2, left: [6 as UserId], closes: true },
      about: { chatId: 12, head: 40, seq: 34, version: 3, part: 'content' },
      isPassing: true,
    };
    const { except: _, ...travels } = push;
    const origin = { node: 'abc', number: 9 };
    expect(decode(encode({ ...push, origin }))).to.deep.equal({ ...travels, origin });
  });

  it('carry a push that has nothing but a frame', () => {
    expect(decode(encode({ frame: '{}' }))).to.deep.equal({ frame: '{}' });
  });

  it('carry signals and heads', () => {
    const messages: NodeMessage[] = [
      { signal: { kind: 'joined', chatId: 1, seq: 2 } },
      { signal: { kind: 'reconcile' } },
      { signal: { kind: 'revoked', tokenVersion: 3 } },
      { signal: { kind: 'ended', sessionId: 4, tokenId: 'a' } },
      { signal: { kind: 'othersEnded', sessionId: 5 } },
      { signal: { kind: 'unwatch', userId: 6 } },
      { head: { chatId: 7, seq: 8 } },
    ];
    for (const message of messages) expect(decode(encode(message))).to.deep.equal(message);
  });

  it('are refused when they are something else', () => {
    expect(() => decode('nonsense')).to.throw(SyntaxError);
    expect(() => decode('nonsense\n{}')).to.throw(SyntaxError);
  });
});

import { expect } from 'chai';
import type { Ask } from '../../src/client/calls.ts';
import { ParleyError } from '../../src/client/errors.ts';
import { Synchroniser } from '../../src/client/Synchroniser.ts';

type Answer = (params: object) => object | Error;

const page = { data: [], more: false, nextCursor: 'first', time: '2026-01-01T00:00:00Z' };

/** Makes a synchroniser, and a connection that answers its requests by `answer`. */
function synchroniserOf(answer: Answer = () => page) {
  const asked: object[] = [];
  const events: string[] = [];
  const ask: Ask = async (_type, params, take) => {
    asked.push(params);
    const result = answer(params);
    if (result instanceof Error) throw result;
    return take(result as never);
  };
  const synchroniser = new Synchroniser(() => 1, {
    deliver: ({ params }) => events.push(`seq ${(params as { seq: number }).seq}`),
    change: ({ kind }) => events.push(kind),
    reset: () => events.push('reset'),
    broken: () => events.push('broken'),
  });
  return { synchroniser, ask, asked, events };
}

const push = (seq: number) =>
  ({ type: 'messageInGroup', params: { groupId: 7, seq, createdAt: '2026-01-01', message: '' } }) as never;

describe('the synchroniser of the typed client', () => {
  it('catches up from its first cursor if the connection is lost right behind it', async () => {
    const { synchroniser, ask, asked } = synchroniserOf();
    const begun = synchroniser.begin(ask);
    synchroniser.lost(); // before anybody goes on who awaited the reply
    await begun;
    await synchroniser.begin(ask);
    await synchroniser.catchUp(ask);
    synchroniser.lost();
    expect(asked).to.deep.equal([{ fromNow: true }, { cursor: 'first', limit: 500 }]);
  });

  it('reads the messages of a gap', async () => {
    const read = { data: [{ groupId: 7, seq: 2, createdAt: '2026-01-01', content: '' }], more: false };
    const { synchroniser, ask, asked, events } = synchroniserOf((params) =>
      'groupId' in params ? read : page,
    );
    await synchroniser.begin(ask);
    await synchroniser.catchUp(ask);
    synchroniser.inbox.push(push(1));
    synchroniser.inbox.push(push(3));
    await new Promise(setImmediate);
    synchroniser.lost();
    expect(asked.at(-1)).to.deep.equal({ groupId: 7, afterSeq: 1, beforeSeq: 3, limit: 100 });
    expect(events).to.deep.equal(['seq 1', 'seq 2', 'seq 3']);
  });

  it('skips a gap that the server refuses to a user who is not in the group', async () => {
    const refusal = new ParleyError('NOT_A_MEMBER', 'You are not in this group');
    const { synchroniser, ask, events } = synchroniserOf((params) => ('groupId' in params ? refusal : page));
    await synchroniser.begin(ask);
    await synchroniser.catchUp(ask);
    synchroniser.inbox.push(push(1));
    synchroniser.inbox.push(push(3));
    await new Promise(setImmediate);
    synchroniser.lost();
    expect(events).to.deep.equal(['seq 1', 'seq 3']);
  });

  it('reports a gap that cannot be filled over this connection', async () => {
    const failure = new ParleyError('INTERNAL', 'Internal error');
    const { synchroniser, ask, events } = synchroniserOf((params) => ('groupId' in params ? failure : page));
    await synchroniser.begin(ask);
    await synchroniser.catchUp(ask);
    synchroniser.inbox.push(push(1));
    synchroniser.inbox.push(push(3));
    await new Promise(setImmediate);
    synchroniser.lost();
    expect(events).to.deep.equal(['seq 1', 'broken']);
  });

  it('reports a reset after its cursor was refused, once it has caught up from a new one', async () => {
    const forgotten = new ParleyError('BAD_REQUEST', 'The cursor is not known');
    const { synchroniser, ask, asked, events } = synchroniserOf((params) =>
      'cursor' in params ? forgotten : page,
    );
    await synchroniser.begin(ask);
    synchroniser.lost();
    const error = await synchroniser.catchUp(ask).catch((reason) => reason);
    expect(error).to.equal(forgotten);
    expect(events).to.deep.equal([]);
    synchroniser.lost();
    await synchroniser.begin(ask);
    await synchroniser.catchUp(ask);
    synchroniser.lost();
    expect(asked.at(-1)).to.deep.equal({ fromNow: true });
    expect(events).to.deep.equal(['reset']);
  });
});

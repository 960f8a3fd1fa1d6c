import { mock } from 'node:test';
import { expect } from 'chai';
import type { SendRequest } from '../../src/client/calls.ts';
import { ParleyError } from '../../src/client/errors.ts';
import { Synchroniser } from '../../src/client/Synchroniser.ts';

type Answer = (params: object) => object | Error;

const page = { data: [], more: false, nextCursor: 'first', time: '2026-01-01T00:00:00Z' };

/** Creates a synchroniser, and a connection that answers its requests by `answer`. */
function synchroniserOf(answer: Answer = () => page) {
  const asked: object[] = [];
  const events: string[] = [];
  const request: SendRequest = async (_type, params, take) => {
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
  return { synchroniser, request, asked, events };
}

const push = (seq: number) =>
  ({ type: 'messageInGroup', params: { groupId: 7, seq, createdAt: '2026-01-01', message: '' } }) as never;

describe('the synchroniser of the typed client', () => {
  it('catches up from its first cursor if the connection is lost right after it', async () => {
    const { synchroniser, request, asked } = synchroniserOf();
    const begun = synchroniser.begin(request);
    synchroniser.lost(); // before the code that awaits the reply continues
    await begun;
    await synchroniser.begin(request);
    await synchroniser.catchUp(request);
    synchroniser.lost();
    expect(asked).to.deep.equal([{ fromNow: true }, { cursor: 'first', limit: 500 }]);
  });

  it('knows the time of the server, as far as it differs from its own', async () => {
    mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-01-01T00:00:05Z') });
    const { synchroniser, request } = synchroniserOf();
    expect(new Date(synchroniser.now()).toISOString()).to.equal('2026-01-01T00:00:05.000Z');
    await synchroniser.begin(request);
    expect(new Date(synchroniser.now()).toISOString()).to.equal('2026-01-01T00:00:00.000Z');
    mock.timers.tick(3_000);
    expect(new Date(synchroniser.now()).toISOString()).to.equal('2026-01-01T00:00:03.000Z');
  });

  it('catches up from the same cursor after a failure', async () => {
    const failure = new ParleyError('INTERNAL', 'Internal error');
    const answers: (object | Error)[] = [page, failure, page];
    const { synchroniser, request, asked, events } = synchroniserOf(() => answers.shift() as object);
    await synchroniser.begin(request);
    synchroniser.lost();
    expect(await synchroniser.catchUp(request).catch((reason) => reason)).to.equal(failure);
    synchroniser.lost();
    await synchroniser.begin(request);
    await synchroniser.catchUp(request);
    synchroniser.lost();
    const caughtUp = { cursor: 'first', limit: 500 };
    expect([asked, events]).to.deep.equal([[{ fromNow: true }, caughtUp, caughtUp], []]);
  });

  it('catches up once more after the pages that another connection has begun', async () => {
    const page = (nextCursor: string, more = false) => ({ data: [], more, nextCursor, time: '' });
    const lost = new ParleyError('CONNECTION_LOST', 'lost');
    const answers = [page('a'), page('b', true), lost, page('c', true), page('d'), page('e'), page('f')];
    const { synchroniser, request, asked } = synchroniserOf(() => answers.shift() as object);
    await synchroniser.begin(request);
    for (let connection = 0; connection < 3; connection++) {
      synchroniser.lost();
      await synchroniser.catchUp(request).catch((error) => expect(error).to.equal(lost));
    }
    synchroniser.lost();
    const cursors = asked.flatMap((params) => ('cursor' in params ? [params.cursor] : []));
    expect(cursors).to.deep.equal(['a', 'b', 'b', 'c', 'd', 'e']);
  });

  it('reads the messages of a gap', async () => {
    const read = { data: [{ groupId: 7, seq: 2, createdAt: '2026-01-01', content: '' }], more: false };
    const { synchroniser, request, asked, events } = synchroniserOf((params) =>
      'groupId' in params ? read : page,
    );
    await synchroniser.begin(request);
    await synchroniser.catchUp(request);
    synchroniser.inbox.push(push(1));
    synchroniser.inbox.push(push(3));
    await new Promise(setImmediate);
    synchroniser.lost();
    expect(asked.at(-1)).to.deep.equal({ groupId: 7, afterSeq: 1, beforeSeq: 3, limit: 100 });
    expect(events).to.deep.equal(['seq 1', 'seq 2', 'seq 3']);
  });

  it('reads a large gap page by page', async () => {
    const read = (afterSeq: number) => ({
      data: [{ groupId: 7, seq: afterSeq + 1, createdAt: '2026-01-01', content: '' }],
      more: afterSeq === 1,
    });
    const { synchroniser, request, asked, events } = synchroniserOf((params) =>
      'afterSeq' in params ? read(params.afterSeq as number) : page,
    );
    await synchroniser.begin(request);
    await synchroniser.catchUp(request);
    for (const seq of [1, 5]) synchroniser.inbox.push(push(seq));
    await new Promise(setImmediate);
    synchroniser.lost();
    expect(asked.slice(1).map((params) => (params as { afterSeq: number }).afterSeq)).to.deep.equal([1, 2]);
    expect(events).to.deep.equal(['seq 1', 'seq 2', 'seq 3', 'seq 5']);
  });

  it('skips a gap that the server refuses to a user who is not in the group', async () => {
    const refusal = new ParleyError('NOT_A_MEMBER', 'You are not in this group');
    const { synchroniser, request, events } = synchroniserOf((params) =>
      'groupId' in params ? refusal : page,
    );
    await synchroniser.begin(request);
    await synchroniser.catchUp(request);
    synchroniser.inbox.push(push(1));
    synchroniser.inbox.push(push(3));
    await new Promise(setImmediate);
    synchroniser.lost();
    expect(events).to.deep.equal(['seq 1', 'seq 3']);
  });

  it('reports a gap that cannot be filled over this connection', async () => {
    const failure = new ParleyError('INTERNAL', 'Internal error');
    const { synchroniser, request, events } = synchroniserOf((params) =>
      'groupId' in params ? failure : page,
    );
    await synchroniser.begin(request);
    await synchroniser.catchUp(request);
    synchroniser.inbox.push(push(1));
    synchroniser.inbox.push(push(3));
    await new Promise(setImmediate);
    synchroniser.lost();
    expect(events).to.deep.equal(['seq 1', 'broken']);
  });

  it('reports a reset after its cursor was refused, once it has caught up from a new one', async () => {
    const forgotten = new ParleyError('BAD_REQUEST', 'The cursor is not known');
    const { synchroniser, request, asked, events } = synchroniserOf((params) =>
      'cursor' in params ? forgotten : page,
    );
    await synchroniser.begin(request);
    synchroniser.lost();
    const error = await synchroniser.catchUp(request).catch((reason) => reason);
    expect(error).to.equal(forgotten);
    expect(events).to.deep.equal([]);
    synchroniser.lost();
    await synchroniser.begin(request);
    await synchroniser.catchUp(request);
    synchroniser.lost();
    expect(asked.at(-1)).to.deep.equal({ fromNow: true });
    expect(events).to.deep.equal(['reset']);
  });

  it('reports a reset once', async () => {
    const forgotten = new ParleyError('BAD_REQUEST', 'The cursor is not known');
    let isKnown = false;
    const { synchroniser, request, events } = synchroniserOf((params) =>
      'cursor' in params && !isKnown ? forgotten : page,
    );
    await synchroniser.begin(request);
    synchroniser.lost();
    await synchroniser.catchUp(request).catch(() => {});
    isKnown = true;
    for (let connections = 0; connections < 2; connections++) {
      synchroniser.lost();
      await synchroniser.begin(request);
      await synchroniser.catchUp(request);
    }
    synchroniser.lost();
    expect(events).to.deep.equal(['reset']);
  });

  it('catches up page by page, and knows the time of the server from the last one', async () => {
    const change = { kind: 'user', userId: 2, username: 'Bob' };
    const cursors = ['first', 'second', 'third'];
    const { synchroniser, request, asked, events } = synchroniserOf((params) => ({
      data: 'cursor' in params ? [change] : [],
      more: cursors.length === 2,
      nextCursor: cursors.shift(),
      time: new Date(Date.now() + 3_600_000).toISOString(),
    }));
    await synchroniser.begin(request);
    synchroniser.lost();
    await synchroniser.catchUp(request);
    synchroniser.lost();
    expect(asked.slice(1)).to.deep.equal([
      { cursor: 'first', limit: 500 },
      { cursor: 'second', limit: 500 },
    ]);
    expect(events).to.deep.equal(['user', 'user']);
    expect(synchroniser.now() - Date.now()).to.be.within(3_599_000, 3_601_000);
  });

  describe('with a gap that is being filled', () => {
    const read = (seq: number) => ({ groupId: 7, senderId: 2, seq, createdAt: '2026-01-01', content: '' });
    const found = (seq: number) => ({ kind: 'message', isNew: true, message: read(seq) });

    /** Creates a synchroniser with a gap after the `seq` 1, and a function that ends the reading of the gap. */
    async function withGap() {
      const cursors = ['first', 'renewed', 'third'];
      const all = synchroniserOf((params) =>
        'cursor' in params
          ? { ...page, data: [found(2), found(3)], nextCursor: 'second' }
          : { ...page, nextCursor: cursors.shift() },
      );
      let end = (_messages: object[]) => {};
      const reading: SendRequest = (_type, _params, take) =>
        new Promise((resolve) => {
          end = (data) => resolve(take({ data, more: false } as never));
        });
      // The first connection answers all requests except the reading of the gap.
      const old: SendRequest = (type, params, take) =>
        (type === 'getMessages' ? reading : all.request)(type, params, take);
      await all.synchroniser.begin(old);
      await all.synchroniser.catchUp(old);
      for (const seq of [1, 3]) all.synchroniser.inbox.push(push(seq));
      return { ...all, end: (data: object[]) => end(data) };
    }

    it('delivers the messages by the catch-up after a lost connection, and finds later gaps', async () => {
      const { synchroniser, request, asked, events } = await withGap();
      synchroniser.lost();
      await synchroniser.catchUp(request);
      synchroniser.inbox.push(push(5));
      expect(events.filter((event) => event.startsWith('seq'))).to.deep.equal(['seq 1', 'seq 2', 'seq 3']);
      expect(asked.at(-1)).to.deep.equal({ groupId: 7, afterSeq: 3, beforeSeq: 5, limit: 100 });
      synchroniser.lost();
    });

    it('reports nothing when the reading fails because the connection was lost', async () => {
      let fail = () => {};
      const { synchroniser, request, events } = synchroniserOf();
      const failing: SendRequest = (type, params, take) =>
        type === 'sync'
          ? request(type, params, take)
          : new Promise((_, reject) => {
              fail = () => reject(new ParleyError('CONNECTION_LOST', ''));
            });
      await synchroniser.begin(failing);
      await synchroniser.catchUp(failing);
      for (const seq of [1, 3]) synchroniser.inbox.push(push(seq));
      synchroniser.lost();
      fail();
      await new Promise(setImmediate);
      expect(events).to.deep.equal(['seq 1']);
    });

    it('keeps its cursor until the gap is filled', async () => {
      mock.timers.enable({ apis: ['setTimeout'] });
      const { synchroniser, request, asked } = await withGap();
      const renew = async () => {
        for (const milliseconds of [5 * 60_000, 90_000]) {
          mock.timers.tick(milliseconds);
          await new Promise(setImmediate);
        }
      };
      await renew();
      expect(asked.at(-1)).to.deep.equal({ fromNow: true });
      synchroniser.lost();
      await synchroniser.catchUp(request);
      expect(asked.at(-1)).to.include({ cursor: 'first' });
      await renew();
      synchroniser.lost();
      await synchroniser.catchUp(request);
      expect(asked.at(-1)).to.include({ cursor: 'third' });
      synchroniser.lost();
    });

    it('renews its cursor again after the gap is filled', async () => {
      mock.timers.enable({ apis: ['setTimeout'] });
      const { synchroniser, request, asked, end } = await withGap();
      end([read(2)]);
      for (const milliseconds of [0, 5 * 60_000, 90_000]) {
        mock.timers.tick(milliseconds);
        await new Promise(setImmediate);
      }
      synchroniser.lost();
      await synchroniser.catchUp(request);
      expect(asked.at(-1)).to.include({ cursor: 'renewed' });
      synchroniser.lost();
    });

    it('does not skip a later gap when the reading over a lost connection ends', async () => {
      const { synchroniser, end, events } = await withGap();
      synchroniser.lost();
      const never: SendRequest = (type, _params, take) =>
        type === 'sync'
          ? Promise.resolve(take({ ...page, nextCursor: 'second' } as never))
          : new Promise(() => {});
      await synchroniser.catchUp(never);
      synchroniser.inbox.push(push(4));
      end([]);
      await new Promise(setImmediate);
      synchroniser.lost();
      expect(events).to.deep.equal(['seq 1']);
    });
  });

  describe('that renews its cursor', () => {
    beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));

    /** Creates a synchroniser that has caught up, on a server that numbers its cursors. */
    async function caughtUp() {
      let cursors = 0;
      const all = synchroniserOf(() => ({ ...page, nextCursor: `${++cursors}` }));
      await all.synchroniser.begin(all.request);
      await all.synchroniser.catchUp(all.request);
      return all;
    }
    const pass = async (milliseconds: number) => {
      mock.timers.tick(milliseconds);
      await new Promise(setImmediate);
    };

    it('catches up from the new one, a minute and a half after it was read', async () => {
      const { synchroniser, request, asked } = await caughtUp();
      await pass(5 * 60_000);
      expect(asked).to.deep.equal([{ fromNow: true }, { fromNow: true }]);
      await pass(90_000);
      synchroniser.lost();
      await synchroniser.catchUp(request);
      expect(asked.at(-1)).to.include({ cursor: '2' });
      synchroniser.lost();
    });

    it('reads the next one five minutes later', async () => {
      const { synchroniser, asked } = await caughtUp();
      for (const milliseconds of [5 * 60_000, 90_000, 5 * 60_000 - 1]) await pass(milliseconds);
      expect(asked).to.have.length(2);
      await pass(1);
      expect(asked).to.have.length(3);
      synchroniser.lost();
    });

    it('catches up from the old one if the connection is lost before, as a change may not have been pushed yet', async () => {
      const { synchroniser, request, asked } = await caughtUp();
      await pass(5 * 60_000);
      await pass(89_999);
      synchroniser.lost();
      await pass(1);
      await synchroniser.catchUp(request);
      expect(asked.at(-1)).to.include({ cursor: '1' });
      synchroniser.lost();
    });

    it('drops one that arrives after the connection was lost', async () => {
      const { synchroniser, request, asked } = await caughtUp();
      let reply = () => {};
      const slow: SendRequest = (_type, _params, take) =>
        new Promise((resolve) => {
          reply = () => resolve(take({ ...page, nextCursor: 'late' } as never));
        });
      synchroniser.lost();
      await synchroniser.catchUp((type, params, take) =>
        ('fromNow' in params ? slow : request)(type, params, take),
      );
      await pass(5 * 60_000);
      synchroniser.lost();
      await synchroniser.catchUp(request);
      reply();
      await pass(0);
      await pass(90_000);
      synchroniser.lost();
      await synchroniser.catchUp(request);
      expect(asked.at(-1)).to.include({ cursor: '3' });
      synchroniser.lost();
    });

    it('reads a new one after 500 messages', async () => {
      const { synchroniser, asked } = await caughtUp();
      for (let seq = 1; seq < 500; seq++) synchroniser.inbox.push(push(seq));
      expect(asked).to.have.length(1);
      synchroniser.inbox.push(push(500));
      expect(asked).to.have.length(2);
      for (let seq = 501; seq < 1_100; seq++) synchroniser.inbox.push(push(seq));
      expect(asked).to.have.length(2);
      synchroniser.lost();
    });

    it('reads none because of messages that a catch-up returns', async () => {
      const { synchroniser, asked } = synchroniserOf();
      const found = Array.from({ length: 500 }, (_, index) => ({
        kind: 'message',
        isNew: true,
        message: { groupId: 7, senderId: 2, seq: index + 2, createdAt: '2026-01-01', content: '' },
      }));
      const request: SendRequest = async (_type, params, take) => {
        asked.push(params);
        return take({ ...page, data: 'cursor' in params ? found : [] } as never);
      };
      await synchroniser.begin(request);
      await synchroniser.catchUp(request);
      synchroniser.inbox.push(push(1));
      synchroniser.lost();
      await synchroniser.catchUp(request);
      synchroniser.lost();
      expect(asked).to.deep.equal([{ fromNow: true }, { cursor: 'first', limit: 500 }]);
    });

    it('renews it after a gap that was filled', async () => {
      const { synchroniser, request, asked } = await caughtUp();
      for (const seq of [1, 3]) synchroniser.inbox.push(push(seq));
      await pass(0);
      await pass(5 * 60_000);
      await pass(90_000);
      synchroniser.lost();
      await synchroniser.catchUp(request);
      expect(asked.at(-1)).to.include({ cursor: '3' });
      synchroniser.lost();
    });

    it('starts no timer over a connection that was lost while it caught up', async () => {
      const { synchroniser, request, asked } = await caughtUp();
      synchroniser.lost();
      const over: SendRequest = (type, params, take) => {
        synchroniser.lost();
        return request(type, params, take);
      };
      await synchroniser.catchUp(over);
      const before = asked.length;
      await pass(60 * 60_000);
      expect(asked).to.have.length(before);
    });

    it('has no timer after its connection was lost', async () => {
      const { synchroniser, asked } = await caughtUp();
      synchroniser.lost();
      await pass(60 * 60_000);
      expect(asked).to.have.length(1);
    });
  });
});

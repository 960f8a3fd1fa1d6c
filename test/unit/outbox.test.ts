import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { type ErrorCode, ParleyError } from '../../src/client/errors.ts';
import { Outbox } from '../../src/client/Outbox.ts';
import type { CommandName } from '../../src/client/protocol.ts';
import { encodeRequest } from '../../src/client/request.ts';
import type { CommandFacts } from '../../src/commands/facts.ts';
import { commands } from '../../src/commands/registry.ts';

interface Frame {
  readonly id: number;
  readonly type: CommandName;
  readonly params: { readonly groupId?: number; readonly clientMessageId?: string };
}

interface Timer {
  readonly milliseconds: number;
  readonly run: () => void;
  isCancelled: boolean;
}

interface Settings {
  readonly groupId?: number;
  readonly signal?: AbortSignal;
  readonly isPriority?: boolean;
}

/** Creates an outbox, and keeps the frames that it writes, the commands that succeeded, the results and the timers. */
function outboxOf() {
  const sent: Frame[] = [];
  const done: CommandName[] = [];
  const taken: unknown[] = [];
  const timers: Timer[] = [];
  const outbox = new Outbox(
    (frame) => sent.push(JSON.parse(frame)),
    (type) => done.push(type),
    (run, milliseconds) => {
      const timer = { run, milliseconds, isCancelled: false };
      timers.push(timer);
      return () => {
        timer.isCancelled = true;
      };
    },
    encodeRequest,
  );
  /** Resolves to the result, or to the code or the reason of the rejection. */
  const call = (type: CommandName, { groupId = 1, signal, isPriority }: Settings = {}) =>
    outbox
      .call(type, { groupId } as never, (result) => taken.push(result) && result, signal, isPriority)
      .catch((error) => error.code ?? error);
  const reply = (id: number, params: unknown = {}) => outbox.answer({ id, params });
  const refuse = (id: number, code: ErrorCode, retryAfter?: number) =>
    outbox.answer({ id, error: true, code, message: '', ...(retryAfter !== undefined && { retryAfter }) });
  const ids = () => sent.map(({ id }) => id);
  return { outbox, sent, ids, done, taken, timers, call, reply, refuse };
}

/** Creates an outbox that is open. */
function openOutbox() {
  const all = outboxOf();
  all.outbox.opened();
  return all;
}

/** Returns whether a promise is settled after the present turn. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await turn();
  return settled;
}

const types = commands.map(({ type }) => type);
const having = (fact: keyof CommandFacts) =>
  commands.filter((command) => command[fact]).map(({ type }) => type);

describe('an outbox', () => {
  it('keeps requests until it is opened, and sends them in the order of the calls', () => {
    const { outbox, ids, call } = outboxOf();
    void call('markRead', { groupId: 1 });
    void call('ping');
    void call('markRead', { groupId: 2 });
    expect(ids()).to.deep.equal([]);
    outbox.opened();
    expect(ids()).to.deep.equal([1, 2, 3]);
  });

  it('sends a request with priority before it is opened', () => {
    const { ids, call } = outboxOf();
    void call('markRead');
    void call('sync', { isPriority: true });
    expect(ids()).to.deep.equal([2]);
  });

  it('sends a request once, although it is opened after that', () => {
    const { outbox, ids, call } = outboxOf();
    void call('sync', { isPriority: true });
    outbox.opened();
    void call('ping');
    outbox.opened();
    expect(ids()).to.deep.equal([1, 2]);
  });

  it('sends an ordered command after the reply to the one before, all others at once', () => {
    const waiting = types.filter((type) => {
      const { ids, call, reply } = openOutbox();
      void call(type);
      void call(type);
      const first = ids().length;
      reply(1);
      expect(ids()).to.deep.equal([1, 2]);
      return first === 1;
    });
    expect(waiting).to.deep.equal(having('ordered'));
  });

  it('sends changes in one chat after a refusal, and those in other chats without waiting', () => {
    const { ids, call, refuse } = openOutbox();
    for (const groupId of [1, 1, 2]) void call('markRead', { groupId });
    expect(ids()).to.deep.equal([1, 3]);
    refuse(1, 'FORBIDDEN');
    expect(ids()).to.deep.equal([1, 3, 2]);
  });

  it('sends the params as they were at the call', () => {
    const { outbox, sent } = outboxOf();
    const params = { groupId: 1, seq: 1 };
    void outbox.call('markRead', params, () => {});
    params.seq = 2;
    outbox.opened();
    expect(sent[0]?.params).to.deep.equal({ groupId: 1, seq: 1 });
  });

  it('gives an id to each message to be stored, the same when it is sent again', () => {
    const storing = types.filter((type) => {
      const { outbox, sent, call } = openOutbox();
      void call(type);
      outbox.lost();
      outbox.opened();
      const ids = sent.map(({ params }) => params.clientMessageId);
      if (ids[0] !== undefined)
        expect(ids[0])
          .to.equal(ids[1] ?? ids[0])
          .and.match(/^[0-9-]{7,43}$/);
      return ids[0] !== undefined;
    });
    expect(storing).to.deep.equal(having('storesMessage'));
  });

  it('keeps the id that the caller gives to a message, and gives one in place of an undefined one', () => {
    const { outbox, sent } = openOutbox();
    for (const clientMessageId of ['mine', undefined]) {
      const params = { receiverId: sent.length + 1, content: 'Hi', clientMessageId };
      void outbox.call('privateMessage', params as never, () => {});
    }
    expect(sent[0]?.params.clientMessageId).to.equal('mine');
    expect(sent[1]?.params.clientMessageId).to.be.a('string');
  });

  it('accepts a frame of 64 KiB, and refuses one with a byte more', async () => {
    const { outbox, ids } = openOutbox();
    const rest = JSON.stringify({ type: 'ping', params: { text: '' }, id: 1 }).length;
    const text = `${'é'.repeat(10)}${'x'.repeat(64 * 1024 - rest - 20)}`;
    void outbox.call('ping', { text } as never, () => {});
    const error = await outbox
      .call('ping', { text: `${text}x` } as never, () => {})
      .catch((reason) => reason);
    expect(error).to.be.instanceOf(ParleyError).and.include({ code: 'PAYLOAD_TOO_LARGE' });
    expect(ids()).to.deep.equal([1]);
  });
});

describe('an outbox that receives a reply', () => {
  it('passes the result on at once, before the next frame, except that of an aborted call', async () => {
    const { done, taken, call, reply } = openOutbox();
    const controller = new AbortController();
    const one = call('ping');
    const refused = call('getProfile', controller);
    controller.abort('given up');
    reply(1, 'pong');
    reply(2, 'a profile');
    expect([done, taken]).to.deep.equal([['ping', 'getProfile'], ['pong']]);
    expect(await one).to.equal('pong');
    expect(await refused).to.equal('given up');
  });

  it('rejects the call if the result cannot be processed, and nothing else', async () => {
    const { outbox, reply } = openOutbox();
    const call = outbox.call('ping', {}, () => {
      throw new Error('of no use');
    });
    const refused = call.catch(({ message }) => message);
    reply(1);
    expect(await refused).to.equal('of no use');
  });

  it('rejects with the code, the message and the seconds of a refusal', async () => {
    const { outbox } = openOutbox();
    const call = outbox.call('ping', {}, () => {}).catch((error) => error);
    outbox.answer({ id: 1, error: true, code: 'RATE_LIMITED', message: 'Too fast', retryAfter: 60 });
    const { code, message, retryAfter } = await call;
    expect([code, message, retryAfter]).to.deep.equal(['RATE_LIMITED', 'Too fast', 60]);
  });

  it('rejects a message with the current seq if its ifSeq was another, and does not send it again', async () => {
    const { outbox, ids } = openOutbox();
    const params = { receiverId: 2, content: 'mine', ifSeq: 4 };
    const call = outbox.call('privateMessage', params, () => {}).catch((error) => error);
    outbox.answer({ id: 1, error: true, code: 'CONFLICT', message: 'Too late', seq: 5 });
    const { code, seq } = await call;
    expect([code, seq]).to.deep.equal(['CONFLICT', 5]);
    expect(ids()).to.deep.equal([1]);
  });

  it('rejects with INTERNAL after a refusal without a code', async () => {
    const { outbox, taken } = openOutbox();
    const error = outbox.call('ping', {}, (result) => taken.push(result)).catch((reason) => reason);
    outbox.answer({ id: 1, error: true });
    expect(await error)
      .to.be.instanceOf(ParleyError)
      .and.include({ code: 'INTERNAL', message: '' });
  });

  it('names the command whose outcome is unknown after a lost connection', async () => {
    const { outbox } = openOutbox();
    const error = outbox.call('leaveGroup', { groupId: 1 }, () => {}).catch((reason) => reason);
    outbox.lost();
    expect(await error).to.include({
      code: 'CONNECTION_LOST',
      message: 'The outcome of leaveGroup is unknown',
    });
  });

  it('ignores one to an unknown request, and the second one to a request', () => {
    const { done, taken, call, reply } = openOutbox();
    void call('ping');
    reply(7);
    reply(1);
    reply(1);
    expect([done.length, taken.length]).to.deep.equal([1, 1]);
  });
});

describe('an outbox after a lost connection', () => {
  it('sends repeatable requests again, and rejects all others', async () => {
    const repeated: string[] = [];
    for (const type of types) {
      const { outbox, ids, call, reply } = openOutbox();
      const result = call(type);
      outbox.lost();
      outbox.opened();
      reply(1, 'done');
      if (ids().length === 2) repeated.push(type);
      expect(await result, type).to.equal(ids().length === 2 ? 'done' : 'CONNECTION_LOST');
    }
    expect(repeated).to.deep.equal(having('repeatable'));
  });

  it('sends a request that must not be repeated if it was not sent before', async () => {
    const { outbox, ids, call, reply } = openOutbox();
    const first = call('leaveGroup');
    const second = call('leaveGroup');
    outbox.lost();
    expect(await first).to.equal('CONNECTION_LOST');
    expect(ids()).to.deep.equal([1]);
    outbox.opened();
    reply(2, 'done');
    expect(await second).to.equal('done');
    expect(ids()).to.deep.equal([1, 2]);
  });

  it('sends no later request of a chat before the one that was interrupted', () => {
    const { outbox, ids, call, reply } = openOutbox();
    void call('markRead');
    outbox.lost();
    void call('markRead');
    outbox.opened();
    expect(ids()).to.deep.equal([1, 1]);
    reply(1);
    expect(ids()).to.deep.equal([1, 1, 2]);
  });

  it('ignores replies of that connection', () => {
    const { outbox, done, taken, call, reply } = openOutbox();
    void call('markRead');
    outbox.lost();
    reply(1);
    expect([done, taken]).to.deep.equal([[], []]);
  });

  it('sends requests with priority again only if they are not aborted', () => {
    const { outbox, ids, call } = outboxOf();
    const connection = new AbortController();
    void call('sync', { signal: connection.signal, isPriority: true });
    connection.abort();
    outbox.lost();
    outbox.opened();
    expect(ids()).to.deep.equal([1]);
  });

  it('is settled at once if no request was interrupted', async () => {
    const { outbox, call } = openOutbox();
    outbox.lost();
    void call('markRead');
    expect(await isSettled(outbox.settled())).to.equal(true);
  });

  it('is settled after the last reply to an interrupted request', async () => {
    const { outbox, call, reply } = openOutbox();
    for (const groupId of [1, 2]) void call('markRead', { groupId });
    outbox.lost();
    const settled = outbox.settled();
    outbox.opened();
    void call('ping');
    reply(3);
    reply(1);
    expect(await isSettled(settled)).to.equal(false);
    reply(2);
    expect(await isSettled(settled)).to.equal(true);
  });

  it('is settled after a refusal, although the request is sent again later', async () => {
    const { outbox, ids, timers, call, reply, refuse } = openOutbox();
    const read = call('markDelivered');
    outbox.lost();
    const settled = outbox.settled();
    outbox.opened();
    expect(await isSettled(settled)).to.equal(false);
    refuse(1, 'UNAVAILABLE');
    expect(await isSettled(settled)).to.equal(true);
    timers[0]?.run();
    reply(1, 'done');
    expect(await read).to.equal('done');
    expect(ids()).to.deep.equal([1, 1, 1]);
  });

  it('is settled when the interrupted request is aborted', async () => {
    const { outbox, call } = openOutbox();
    const controller = new AbortController();
    void call('markRead', controller);
    outbox.lost();
    const settled = outbox.settled();
    controller.abort();
    expect(await isSettled(settled)).to.equal(true);
  });
});

describe('an outbox after a refusal that passes', () => {
  it('sends the request again after growing delays with jitter', () => {
    const { ids, timers, call, refuse } = openOutbox();
    void call('markRead');
    for (let attempt = 0; attempt < 7; attempt++) {
      refuse(1, attempt % 2 ? 'UNAVAILABLE' : 'RATE_LIMITED');
      expect(ids()).to.have.length(attempt + 1);
      const longest = Math.min(32_000, 1_000 * 2 ** attempt);
      expect(timers[attempt]?.milliseconds).to.be.within(longest / 2, longest);
      timers[attempt]?.run();
      expect(ids()).to.have.length(attempt + 2);
    }
  });

  it('waits for the seconds of the server, up to ten; for more it rejects', async () => {
    const { ids, timers, call, refuse } = openOutbox();
    void call('markRead', { groupId: 1 });
    const refused = call('markRead', { groupId: 2 });
    refuse(1, 'RATE_LIMITED', 10);
    expect(timers[0]?.milliseconds).to.be.within(10_500, 11_000);
    refuse(2, 'RATE_LIMITED', 11);
    expect(await refused).to.equal('RATE_LIMITED');
    expect([timers.length, ids().length]).to.deep.equal([1, 2]);
  });

  it('sends no later request of the chat meanwhile', () => {
    const { ids, timers, call, reply, refuse } = openOutbox();
    void call('markRead');
    refuse(1, 'UNAVAILABLE');
    void call('markRead');
    expect(ids()).to.deep.equal([1]);
    timers[0]?.run();
    reply(1);
    expect(ids()).to.deep.equal([1, 1, 2]);
  });

  it('rejects after refusals that stay', async () => {
    for (const code of ['TIMEOUT', 'INTERNAL', 'NOT_FOUND'] as const) {
      const { ids, timers, call, refuse } = openOutbox();
      const refused = call('markRead');
      refuse(1, code);
      expect(await refused).to.equal(code);
      expect([timers.length, ids().length]).to.deep.equal([0, 1]);
    }
  });

  it('sends the request at once over the next connection, and cancels the timer', () => {
    const { outbox, ids, timers, call, refuse } = openOutbox();
    void call('markRead');
    refuse(1, 'UNAVAILABLE');
    outbox.lost();
    outbox.opened();
    expect(ids()).to.deep.equal([1, 1]);
    expect(timers[0]?.isCancelled).to.equal(true);
  });

  it('sends nothing while there is no connection', () => {
    const { outbox, ids, timers, call, refuse } = openOutbox();
    void call('markRead');
    refuse(1, 'UNAVAILABLE');
    outbox.lost();
    timers[0]?.run();
    expect(ids()).to.deep.equal([1]);
  });
});

describe('an outbox whose call is aborted', () => {
  it('rejects with the reason, and sends nothing if it was not sent', async () => {
    const { outbox, ids, call } = outboxOf();
    const controller = new AbortController();
    const [before, after] = [
      call('markRead', { signal: AbortSignal.abort('early') }),
      call('markRead', controller),
    ];
    void call('markRead');
    controller.abort('late');
    expect([await before, await after]).to.deep.equal(['early', 'late']);
    outbox.opened();
    expect(ids()).to.deep.equal([2]);
  });

  it('sends the next request of the chat after the reply', () => {
    const { ids, call, reply } = openOutbox();
    const controller = new AbortController();
    void call('markRead', controller);
    void call('markRead');
    controller.abort();
    expect(ids()).to.deep.equal([1]);
    reply(1);
    expect(ids()).to.deep.equal([1, 2]);
  });

  it('does not send it again, after a lost connection or a refusal', () => {
    for (const interrupt of ['lost', 'refused']) {
      const { outbox, ids, timers, call, refuse } = openOutbox();
      const controller = new AbortController();
      void call('markRead', controller);
      void call('markRead');
      controller.abort();
      if (interrupt === 'lost') {
        outbox.lost();
        outbox.opened();
      } else refuse(1, 'UNAVAILABLE');
      expect(ids()).to.deep.equal([1, 2]);
      expect(timers).to.deep.equal([]);
    }
  });

  it('cancels the timer of the next attempt', () => {
    const { ids, timers, call, refuse } = openOutbox();
    const controller = new AbortController();
    void call('markRead', controller);
    refuse(1, 'UNAVAILABLE');
    controller.abort();
    expect(timers[0]?.isCancelled).to.equal(true);
    timers[0]?.run();
    expect(ids()).to.deep.equal([1]);
  });

  it('listens to the signal until the call is settled, however it ends', () => {
    const endings: Record<string, (all: ReturnType<typeof outboxOf>, controller: AbortController) => void> = {
      reply: ({ reply }) => reply(1),
      refusal: ({ refuse }) => refuse(1, 'FORBIDDEN'),
      'lost connection': ({ outbox }) => outbox.lost(),
      abort: ({ reply }, controller) => {
        controller.abort();
        reply(1);
      },
      close: ({ outbox }) => outbox.close(new ParleyError('CLOSED', '')),
    };
    for (const [name, end] of Object.entries(endings)) {
      const all = openOutbox();
      const controller = new AbortController();
      void all.call('leaveGroup', controller);
      expect(getEventListeners(controller.signal, 'abort'), name).to.have.length(1);
      end(all, controller);
      expect(getEventListeners(controller.signal, 'abort'), name).to.have.length(0);
    }
  });
});

describe('an outbox that is closed', () => {
  const closed = new ParleyError('CLOSED', 'The client was closed');

  it('rejects the calls that wait, are sent or are to be sent again, and all later ones', async () => {
    const { outbox, ids, timers, call, refuse } = openOutbox();
    const calls = [call('markRead'), call('markRead'), call('ping')];
    refuse(3, 'UNAVAILABLE');
    outbox.close(closed);
    calls.push(call('ping'));
    expect(await Promise.all(calls)).to.deep.equal(['CLOSED', 'CLOSED', 'CLOSED', 'CLOSED']);
    expect(ids()).to.deep.equal([1, 3]);
    expect(timers.map(({ isCancelled }) => isCancelled)).to.deep.equal([true]);
  });

  it('ignores replies', () => {
    const { outbox, done, taken, call, reply } = openOutbox();
    void call('ping');
    outbox.close(closed);
    reply(1);
    expect([done, taken]).to.deep.equal([[], []]);
  });

  it('passes no result on if it is closed while the success is reported', () => {
    const taken: unknown[] = [];
    const outbox = new Outbox(
      () => {},
      () => outbox.close(closed),
      () => () => {},
      encodeRequest,
    );
    outbox.opened();
    outbox.call('ping', {}, (result) => taken.push(result)).catch(() => {});
    outbox.answer({ id: 1, params: {} });
    expect(taken).to.deep.equal([]);
  });

  it('is settled', async () => {
    const { outbox, call } = openOutbox();
    void call('markRead');
    outbox.lost();
    const settled = outbox.settled();
    outbox.close(closed);
    expect(await isSettled(settled)).to.equal(true);
  });
});

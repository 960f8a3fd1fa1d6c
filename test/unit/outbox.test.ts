import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { Outbox } from '../../src/client/Outbox.ts';
import type { CommandName } from '../../src/client/protocol.ts';
import type { CommandFacts } from '../../src/commands/facts.ts';
import { commands } from '../../src/commands/registry.ts';
import { until } from '../until.ts';

describe('interrupted requests', () => {
  it('delay no catch-up once they are answered, although they are refused for a while', async () => {
    const ids: number[] = [];
    const outbox = new Outbox(
      (frame) => ids.push(JSON.parse(frame).id),
      () => {},
    );
    outbox.opened();
    const read = outbox.call('markDelivered', { receiverId: 2, seq: 1 }, () => {});
    outbox.lost();
    let isSettled = false;
    void outbox.settled().then(() => {
      isSettled = true;
    });
    outbox.opened();
    await turn();
    expect(isSettled).to.equal(false);
    outbox.answer({ id: ids.at(-1), error: true, code: 'UNAVAILABLE' });
    await turn();
    expect(isSettled).to.equal(true);

    await until(() => ids.length === 3);
    outbox.answer({ id: ids.at(-1), params: {} });
    await read;
    expect(ids).to.deep.equal([1, 1, 1]);
  });
});

describe('the results of calls', () => {
  it('are processed at once, before the next frame, except those of aborted calls', async () => {
    const taken: unknown[] = [];
    const outbox = new Outbox(
      () => {},
      (type) => taken.push(type),
    );
    outbox.opened();
    const controller = new AbortController();
    const take = (result: unknown) => taken.push(result);
    const [one, two] = [
      outbox.call('ping', {}, take),
      outbox.call('getProfile', {}, take, controller.signal),
    ];
    const refused = two.catch((error) => error);
    controller.abort('given up');
    outbox.answer({ id: 1, params: 'pong' });
    outbox.answer({ id: 2, params: 'a profile' });
    expect(taken).to.deep.equal(['ping', 'pong', 'getProfile']);
    expect(await one).to.equal(2);
    expect(await refused).to.equal('given up');
  });

  it('that cannot be processed reject the call, and nothing else', async () => {
    const outbox = new Outbox(
      () => {},
      () => {},
    );
    outbox.opened();
    const call = outbox.call('ping', {}, () => {
      throw new Error('of no use');
    });
    const refused = call.catch(({ message }) => message);
    outbox.answer({ id: 1, params: {} });
    expect(await refused).to.equal('of no use');
  });
});

describe('an outbox', () => {
  interface Sent {
    readonly id: number;
    readonly params: { readonly clientMessageId?: string };
  }

  /** An open outbox, what it sends, and a call of a command about one chat. */
  function opened(type: CommandName) {
    const sent: Sent[] = [];
    const outbox = new Outbox(
      (frame) => sent.push(JSON.parse(frame)),
      () => {},
    );
    outbox.opened();
    const params = { groupId: 1 } as never;
    const call = () => outbox.call(type, params, () => 'done').catch(({ code }) => code);
    return { outbox, sent, call };
  }

  const having = (fact: keyof CommandFacts) =>
    commands.filter((command) => command[fact]).map(({ type }) => type);
  const types = commands.map(({ type }) => type);

  it('sends an ordered command after the reply to the one before, all others at once', () => {
    const waiting = types.filter((type) => {
      const { outbox, sent, call } = opened(type);
      void call();
      void call();
      const first = sent.length;
      outbox.answer({ id: 1, params: {} });
      expect(sent.map(({ id }) => id)).to.deep.equal([1, 2]);
      return first === 1;
    });
    expect(waiting).to.deep.equal(having('ordered'));
  });

  it('gives an id to each message to be stored, the same when it is sent again', () => {
    const storing = types.filter((type) => {
      const { outbox, sent, call } = opened(type);
      void call();
      outbox.lost();
      outbox.opened();
      const ids = sent.map(({ params }) => params.clientMessageId);
      if (ids[0] !== undefined)
        expect(ids[0])
          .to.equal(ids[1])
          .and.match(/^[0-9a-z-]{7,31}$/);
      return ids[0] !== undefined;
    });
    expect(storing).to.deep.equal(having('storesMessage'));
  });

  it('sends what was cut off again where it is repeatable, and rejects the rest', async () => {
    const repeated: string[] = [];
    for (const type of types) {
      const { outbox, sent, call } = opened(type);
      const result = call();
      outbox.lost();
      outbox.opened();
      outbox.answer({ id: 1, params: {} });
      if (sent.length === 2) repeated.push(type);
      expect(await result, type).to.equal(sent.length === 2 ? 'done' : 'CONNECTION_LOST');
    }
    expect(repeated).to.deep.equal(having('repeatable'));
  });
});

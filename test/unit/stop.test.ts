import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { type ServerParts, stop } from '../../src/server/stop.ts';

/** The begun and ended calls of methods of the parts of a server. */
class Calls {
  readonly begun: string[] = [];
  /** By method: how many calls of any method had begun when it first ended. */
  readonly endedAt = new Map<string, number>();

  /** Returns a part each of whose methods takes a moment. */
  part(name: string, properties: object = {}, failing?: string): never {
    return new Proxy(properties, {
      get: (target, method: string) => {
        if (method in target) return target[method as keyof typeof target];
        return async () => {
          const call = `${name}.${method}`;
          this.begun.push(call);
          await turn();
          if (call === failing) throw new Error(`${call} fails`);
          if (!this.endedAt.has(call)) this.endedAt.set(call, this.begun.length);
        };
      },
    }) as never;
  }

  /** Returns true if one call had ended before the other began. */
  isBefore(first: string, second: string): boolean {
    return (this.endedAt.get(first) ?? Number.POSITIVE_INFINITY) <= this.begun.indexOf(second);
  }
}

/** Returns the parts of a server with one connection, and their calls. */
function partsOf({ failing, isConnected = true }: { failing?: string; isConnected?: boolean } = {}) {
  const calls = new Calls();
  const part = (name: string, properties: object = {}) => calls.part(name, properties, failing);
  const connection = part('connection', { receiver: { unanswered: () => 0 } });
  const parts: ServerParts = {
    db: part('db', { unpublished: { isEmpty: true } }),
    clock: part('clock'),
    listener: part('listener', { isShared: false }),
    passwords: part('passwords'),
    turns: part('turns'),
    tracing: part('tracing'),
    events: part('events'),
    messaging: {
      ...{ allConnections: [connection], connections: part('connections'), writer: part('writer') },
      ...{ serviceConnections: part('serviceConnections'), reconciler: part('reconciler') },
      ...{ presenceChanges: part('presenceChanges'), sessions: part('sessions') },
      bus: part('bus', { isConnected }),
    } as unknown as ServerParts['messaging'],
    upkeep: {
      ...{ indexer: part('indexer'), databaseRuns: part('databaseRuns'), foldedNames: part('foldedNames') },
      ...{ deletions: part('deletions'), closures: part('closures'), oldEvents: part('oldEvents') },
      ...{ webhooks: part('webhooks'), eventLoop: part('eventLoop'), outbox: part('outbox') },
      sendBuffers: part('sendBuffers'),
    },
    endpoints: {
      router: { unanswered: 0, expectsRequest: () => false },
      corkHost: part('corkHost'),
    } as unknown as ServerParts['endpoints'],
  };
  return { parts, calls };
}

describe('the order in which a server stops', () => {
  const ORDER: [string, string, string][] = [
    ['nobody connects while commands are finished', 'listener.stop', 'writer.drain'],
    ['a deletion of an account may send messages', 'deletions.close', 'writer.drain'],
    ['the move of a closed group ends before its database', 'closures.close', 'writer.drain'],
    ['a login that waits is answered', 'passwords.close', 'writer.drain'],
    ['messages are stored and answered before their connections close', 'writer.drain', 'connection.close'],
    ['the indexer ends before what else works in the background', 'indexer.close', 'webhooks.close'],
    ['sessions end on the bus', 'sessions.close', 'bus.close'],
    ['events are delivered up to the end', 'events.close', 'bus.close'],
    ['webhooks store what was accepted', 'webhooks.close', 'bus.close'],
    ['a run of the database is recorded', 'databaseRuns.close', 'bus.close'],
    ['names are folded', 'foldedNames.close', 'bus.close'],
    ['old events are deleted', 'oldEvents.close', 'bus.close'],
    ['its last messages are sent before it leaves', 'bus.close', 'sessions.leave'],
    ['a node leaves in the database', 'sessions.leave', 'db.close'],
  ];
  for (const [why, first, second] of ORDER)
    it(`has ${first} end before ${second}: ${why}`, async () => {
      const { parts, calls } = partsOf();
      await stop(parts, 0);
      expect(calls.isBefore(first, second)).to.equal(true);
    });

  it('ends each part once, except passwords, whose threads may be needed up to the end', async () => {
    const { parts, calls } = partsOf();
    await stop(parts, 0);
    const ends = calls.begun.filter((call) => call.endsWith('.close') && call !== 'passwords.close');
    expect(ends).to.have.length(new Set(ends).size);
    const parted = Object.keys({ ...parts.upkeep, ...parts.messaging, ...parts });
    const without = ['allConnections', 'turns', 'writer', 'messaging', 'upkeep', 'endpoints'];
    expect(ends).to.include.members(
      parted.filter((name) => !without.includes(name) && name !== 'passwords').map((name) => `${name}.close`),
    );
  });

  it('does not leave if other nodes may not have received its last messages', async () => {
    const { parts, calls } = partsOf({ isConnected: false });
    await stop(parts, 0);
    expect(calls.begun).to.not.include('sessions.leave');
  });

  for (const failing of ['deletions.close', 'writer.drain', 'indexer.close', 'bus.close', 'sessions.leave'])
    it(`ends the database, the threads and the traces although ${failing} fails`, async () => {
      const { parts, calls } = partsOf({ failing });
      const error = await stop(parts, 0).then(
        () => undefined,
        (error: Error) => error,
      );
      expect(error?.message).to.equal(`${failing} fails`);
      expect(calls.begun.slice(-3)).to.deep.equal(['db.close', 'passwords.close', 'tracing.close']);
      for (const end of ['db.close', 'tracing.close']) expect(calls.endedAt.has(end)).to.equal(true);
    });
});

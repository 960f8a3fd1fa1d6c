import { syncBuiltinESMExports } from 'node:module';
import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { pino } from 'pino';
import type { Bus, ChatPosition } from '../../src/bus/bus.ts';
import { chatTopic, type Topic } from '../../src/bus/topics.ts';
import type { Database } from '../../src/database/database.ts';
import type { ChatId } from '../../src/ids.ts';
import type { MessageDraft } from '../../src/messages/drafts.ts';
import type { Committed } from '../../src/socket/reconcile.sql.ts';
import { UnknownOutcomes } from '../../src/socket/UnknownOutcomes.ts';
import { id } from '../support/ids.ts';

const CHAT: ChatId = id(7);
const TOPIC = chatTopic(CHAT);

const draft = (name: string | null, sender = 1) =>
  ({
    to: { groupId: CHAT },
    senderId: sender,
    clientMessageId: name,
    origin: sender,
  }) as unknown as MessageDraft;

describe('messages of unknown outcome', () => {
  let closed: AbortController;
  /** The names of the messages that each statement asks for. */
  let asked: (string | null)[][];
  let committed: Committed[];
  let failures: number;
  let calls: string[];
  let position: number | undefined;
  let outcomes: UnknownOutcomes;

  const text =
    (kind: string) =>
    (topic: Topic, { seq }: ChatPosition, except?: number) =>
      calls.push([kind, topic, seq, ...(except === undefined ? [] : [except])].join(' '));

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    syncBuiltinESMExports(); // for those who import it from node:timers/promises
    closed = new AbortController();
    [asked, committed, failures, calls, position] = [[], [], 0, [], 0];
    const db = {
      query: async (_: unknown, [names]: [string]) => {
        asked.push(JSON.parse(names).map(({ name }: { name: string | null }) => name));
        if (failures-- > 0) throw new Error('the database is away');
        return committed;
      },
    };
    const bus = { position: () => position, catchUp: text('catchUp'), publishHead: text('head') };
    outcomes = new UnknownOutcomes(
      db as unknown as Database,
      bus as unknown as Bus,
      pino({ level: 'silent' }),
      closed.signal,
    );
  });
  afterEach(async () => {
    closed.abort();
    await turn(); // a wait that ends only after the reset breaks the timers of the next test in Node 22 and 24
    mock.timers.reset();
    syncBuiltinESMExports();
  });

  /** Lets a millisecond pass, and then seconds, one after another. */
  async function pass(seconds: number): Promise<void> {
    for (let second = 0; second <= seconds; second++) {
      mock.timers.tick(second === 0 ? 1 : 1_000);
      await turn();
    }
  }

  it('are searched for at once and for half a minute, and then forgotten', async () => {
    outcomes.add([draft('one')], [CHAT]);
    await pass(0);
    expect(asked).to.deep.equal([['one']]);
    await pass(31);
    expect(asked).to.deep.equal(Array(6).fill(['one']));
    outcomes.add([draft('two')], [CHAT]);
    await pass(0);
    expect(asked.at(-1)).to.deep.equal(['two']);
  });

  it('are all searched for again when another one is added, in one search', async () => {
    outcomes.add([draft('one')], [CHAT]);
    await pass(0);
    outcomes.add([draft('two')], [CHAT]);
    await pass(0);
    expect(asked).to.deep.equal([['one'], ['one', 'two']]);
    await pass(1);
    expect(asked).to.have.length(3);
  });

  it('are searched for again a second after the database did not answer', async () => {
    failures = 2;
    outcomes.add([draft('one')], [CHAT]);
    await pass(2);
    expect(asked).to.have.length(3);
  });

  it('are published where they were committed: their chat to all nodes, themselves not to their sender', async () => {
    committed = [{ at: 0, head: 9, own: 8 }];
    outcomes.add([draft('one', 3), draft(null, 4)], [CHAT, null]);
    await pass(0);
    expect(calls).to.deep.equal([`catchUp ${TOPIC} 8 3`, `head ${TOPIC} 9`]);
    expect(asked).to.deep.equal([['one']]);
  });

  it('hold the messages behind them where it is not known how far their chat was delivered', () => {
    position = undefined;
    outcomes.add([draft('one')], [CHAT]);
    expect(calls).to.deep.equal([`catchUp ${TOPIC} Infinity`]);
  });

  it('are at most ten thousand, the newest', async () => {
    const drafts = Array.from({ length: 10_001 }, (_, n) => draft(`${n}`));
    outcomes.add(drafts, Array(10_001).fill(CHAT));
    await pass(0);
    expect([asked[0]?.length, asked[0]?.[0], asked[0]?.at(-1)]).to.deep.equal([10_000, '1', '10000']);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { pino } from 'pino';
import type { Bus } from '../../src/bus/bus.ts';
import { createOrderedBus } from '../../src/bus/orderedBus.ts';
import { chatTopic } from '../../src/bus/topics.ts';
import type { ChatId } from '../../src/ids.ts';
import { id } from '../support/ids.ts';
import { MemoryRecord } from '../support/memoryRecord.ts';
import { type Fate, SimulatedNetwork, type SimulatedTransport } from '../support/simulatedNetwork.ts';
import { VirtualTime } from '../support/virtualTime.ts';

const NODES = 3;
const CHATS: readonly ChatId[] = [id(1), id(2)];

type Step =
  | { readonly kind: 'send' | 'edit'; readonly node: number; readonly chat: number }
  | { readonly kind: 'cut' | 'restore'; readonly node: number }
  | { readonly kind: 'wait'; readonly milliseconds: number }
  | { readonly kind: 'failReads'; readonly count: number };

const node = fc.nat({ max: NODES - 1 });
const chat = fc.nat({ max: CHATS.length - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('send' as const), node, chat }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('edit' as const), node, chat }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('cut' as const, 'restore' as const), node }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), milliseconds: fc.nat({ max: 300 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('failReads' as const), count: fc.integer({ min: 1, max: 3 }) }),
  },
);
const fate: fc.Arbitrary<Fate> = fc.record({
  delay: fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 400 })),
  isLost: fc.boolean(),
  repeatedAfter: fc.option(fc.nat({ max: 400 }), { nil: undefined }),
});

/** A node, and what its subscriber received of each chat. */
interface Node {
  readonly transport: SimulatedTransport;
  readonly bus: Bus;
  readonly messages: Map<ChatId, number[]>;
  /** Versions of the edits of the first message of each chat. */
  readonly edits: Map<ChatId, number[]>;
}

/** Nodes on a network with faults, which write in the same chats. */
class World {
  readonly time = new VirtualTime();
  readonly record = new MemoryRecord();
  readonly heads = new Map<ChatId, number>();
  readonly versions = new Map<ChatId, number>();
  readonly nodes: Node[];
  /** Replies that were called, and those that have to be. */
  replied = 0;
  requested = 0;
  readonly violations: string[] = [];
  readonly #network: SimulatedNetwork;

  constructor(fates: readonly Fate[]) {
    let next = 0;
    this.#network = new SimulatedNetwork(
      this.time.schedule,
      () => fates[next++ % fates.length] ?? { delay: 1 },
    );
    this.nodes = Array.from({ length: NODES }, () => this.#join());
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'send':
        return this.#send(this.nodes[step.node], CHATS[step.chat]);
      case 'edit':
        return this.#edit(this.nodes[step.node], CHATS[step.chat]);
      case 'cut':
        return this.nodes[step.node]?.transport.cut();
      case 'restore':
        return this.nodes[step.node]?.transport.restore();
      case 'wait':
        return this.time.advance(step.milliseconds);
      case 'failReads':
        this.record.failures += step.count;
    }
  }

  /** Ends all faults, and publishes one more message in each chat: losses are found by what follows. */
  async endFaults(): Promise<void> {
    this.#network.fate = () => ({ delay: 1 });
    for (const { transport } of this.nodes) transport.restore();
    await this.time.idle();
    for (const chatId of CHATS) this.#send(this.nodes[0], chatId);
    await this.time.idle();
  }

  #join(): Node {
    const transport = this.#network.join({
      catchUp: (topic, head) => node.bus.catchUp(topic, head),
      reconcile: () => {
        for (const chatId of CHATS)
          node.bus.catchUp(chatTopic(chatId), { chatId, seq: Number.POSITIVE_INFINITY });
      },
    });
    const bus = createOrderedBus(transport, {
      record: this.record,
      log: pino({ level: 'silent' }),
      underWay: async () => {},
      gapFilled: () => {},
      gapTooLarge: () => this.violations.push('a gap was given up'),
      schedule: this.time.schedule,
    });
    const node: Node = { transport, bus, messages: new Map(), edits: new Map() };
    for (const chatId of CHATS) this.#subscribe(node, chatId);
    return node;
  }

  #subscribe({ bus, messages, edits }: Node, chatId: ChatId): void {
    const [seqs, versions]: [number[], number[]] = [[], []];
    messages.set(chatId, seqs);
    edits.set(chatId, versions);
    bus.subscribe(chatTopic(chatId), (message) => {
      if (!('frame' in message)) return;
      if (message.position) seqs.push(message.position.seq);
      if (!message.about) return;
      if (seqs.length < message.about.head) this.violations.push('an edit overtook a message');
      versions.push(message.about.version ?? 0);
    });
    bus.begin(chatTopic(chatId), [{ chatId, seq: 0 }]);
  }

  /** Commits a message, and publishes it behind the reply that waits for what comes before it. */
  #send(node: Node | undefined, chatId: ChatId | undefined): void {
    if (!node || !chatId) return;
    const seq = (this.heads.get(chatId) ?? 0) + 1;
    this.heads.set(chatId, seq);
    const push = this.record.store(chatId, { seq, frame: `${seq}` });
    this.requested++;
    node.bus.after(chatTopic(chatId), { chatId, seq: seq - 1 }, () => {
      this.replied++;
      const delivered = node.messages.get(chatId)?.length;
      if (delivered !== seq - 1) this.violations.push(`the reply to ${seq} came behind ${delivered}`);
    });
    node.bus.publish(chatTopic(chatId), push);
  }

  /** Changes the first message of a chat. */
  #edit(node: Node | undefined, chatId: ChatId | undefined): void {
    const head = chatId && this.heads.get(chatId);
    if (!node || !chatId || !head) return;
    const version = (this.versions.get(chatId) ?? 0) + 1;
    this.versions.set(chatId, version);
    const about = { chatId, head, seq: 1, version, part: 'content' };
    node.bus.publish(chatTopic(chatId), { frame: `edit ${version}`, about });
  }
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

function expectComplete({ nodes, heads, versions, violations, replied, requested }: World): void {
  expect(violations).to.deep.equal([]);
  expect(replied).to.equal(requested);
  for (const { messages, edits } of nodes)
    for (const chatId of CHATS) {
      expect(messages.get(chatId)).to.deep.equal(upTo(heads.get(chatId) ?? 0));
      const received = edits.get(chatId) ?? [];
      expect(received).to.deep.equal([...new Set(received)].sort((one, other) => one - other));
      expect(received.at(-1)).to.equal(versions.get(chatId));
    }
}

describe('nodes on a network that delays, loses, repeats and reorders', () => {
  for (const seed of [1, 2, 3])
    it(`deliver every message once and in order, replies and edits in their place (seed ${seed})`, () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 5, maxLength: 60 }),
          fc.array(fate, { minLength: 1, maxLength: 40 }),
          async (steps, fates) => {
            const world = new World(fates);
            for (const one of steps) await world.take(one);
            await world.endFaults();
            expectComplete(world);
          },
        ),
        { seed, numRuns: 40 },
      ));
});

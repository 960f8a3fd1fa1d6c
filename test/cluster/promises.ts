import { expect } from 'chai';
import type { MembershipChange } from '../../src/bus/bus.ts';
import { chatTopic } from '../../src/bus/topics.ts';
import type { ChatId, ConnectionId } from '../../src/ids.ts';
import type { BusCluster, StartCluster } from '../support/busClusters.ts';
import { id } from '../support/ids.ts';
import { MemoryRecord } from '../support/memoryRecord.ts';

const CHAT: ChatId = id(7);
const TOPIC = chatTopic(CHAT);
const OTHER: ChatId = id(8);
const OTHER_TOPIC = chatTopic(OTHER);

/** A node that follows two empty chats, and what its subscriber received. */
class Scenario {
  readonly record = new MemoryRecord();
  readonly received: string[] = [];
  readonly memberships: (MembershipChange | undefined)[] = [];
  readonly tooLarge: ChatId[] = [];
  unsubscribe = () => {};
  #cluster: BusCluster | undefined;

  async start(startCluster: StartCluster): Promise<void> {
    this.#cluster = await startCluster({
      record: this.record,
      gapTooLarge: (_, chatId) => this.tooLarge.push(chatId),
      onReconcile: () => {
        for (const chatId of [CHAT, OTHER])
          this.bus.catchUp(chatTopic(chatId), { chatId, seq: Number.POSITIVE_INFINITY });
      },
    });
    this.unsubscribe = this.#subscribe(CHAT);
    this.#subscribe(OTHER);
    await this.bus.settled();
  }

  get cluster(): BusCluster {
    if (!this.#cluster) throw new Error('the cluster is not started');
    return this.#cluster;
  }

  get bus() {
    return this.cluster.bus;
  }

  /** Commits messages that are not published. */
  store(...seqs: number[]): void {
    for (const seq of seqs) this.record.store(CHAT, { seq, frame: `${seq}` });
  }

  /** Publishes committed messages elsewhere, in the order given. */
  publish(...seqs: number[]): void {
    for (const seq of seqs) this.cluster.publish(TOPIC, { frame: `${seq}`, position: { chatId: CHAT, seq } });
  }

  /** Commits and publishes messages. */
  send(...seqs: number[]): void {
    this.store(...seqs);
    this.publish(...seqs);
  }

  /** Resolves when so much was received. */
  count(frames: number): Promise<void> {
    return this.cluster.until(() => this.received.length >= frames);
  }

  async close(): Promise<void> {
    await this.#cluster?.close();
  }

  #subscribe(chatId: ChatId): () => void {
    const unsubscribe = this.bus.subscribe(chatTopic(chatId), (message) => {
      if (!('frame' in message)) return;
      this.received.push(message.frame);
      this.memberships.push(message.membership);
    });
    this.bus.begin(chatTopic(chatId), [{ chatId, seq: 0 }]);
    return unsubscribe;
  }
}

/** Describes what an ordered bus promises, whatever transport is below it. */
export function describePromises(start: StartCluster): void {
  let scenario: Scenario;

  beforeEach(async () => {
    scenario = new Scenario();
    await scenario.start(start);
  });
  afterEach(() => scenario.close());

  it('delivers the messages of a chat in the order of seq, each once, however they arrive', async () => {
    scenario.send(2, 1, 4, 3);
    scenario.publish(2, 1, 5, 4);
    scenario.store(5);
    scenario.send(6);
    await scenario.count(6);
    expect(scenario.received).to.deep.equal(['1', '2', '3', '4', '5', '6']);
  });

  it('finds a lost publication by the next one, and reads it from the record', async () => {
    scenario.send(1);
    scenario.store(2, 3);
    scenario.send(4);
    await scenario.count(4);
    expect(scenario.received).to.deep.equal(['1', '2', '3', '4']);
    expect(scenario.record.reads).to.equal(1);
  });

  it('finds lost publications by how far the chat is said to be', async () => {
    scenario.send(1);
    scenario.store(2, 3);
    scenario.cluster.publishHead(TOPIC, { chatId: CHAT, seq: 3 });
    await scenario.count(3);
    expect(scenario.received).to.deep.equal(['1', '2', '3']);
  });

  it('reads a large gap page by page', async () => {
    const seqs = Array.from({ length: 600 }, (_, index) => index + 1);
    scenario.store(...seqs);
    scenario.send(601);
    await scenario.count(601);
    expect(scenario.received).to.deep.equal([...seqs, 601].map(String));
    expect(scenario.record.reads).to.equal(3);
  });

  it('delivers a change of members in its place, published or read', async () => {
    scenario.record.store(CHAT, { seq: 2, frame: '2', membership: { left: [id(5)] } });
    const joined = scenario.record.store(CHAT, { seq: 3, frame: '3', membership: { joined: [id(5)] } });
    scenario.cluster.publish(TOPIC, joined);
    scenario.send(4, 1);
    await scenario.count(4);
    expect(scenario.received).to.deep.equal(['1', '2', '3', '4']);
    expect(scenario.memberships).to.deep.equal([undefined, { left: [5] }, { joined: [5] }, undefined]);
  });

  it('releases a reply behind what comes before it, and before what follows it', async () => {
    scenario.store(1, 2, 3);
    scenario.publish(4, 2);
    scenario.bus.after(TOPIC, { chatId: CHAT, seq: 2 }, () => scenario.received.push('reply to 3'));
    scenario.publish(5);
    scenario.store(4, 5);
    await scenario.count(6);
    expect(scenario.received).to.deep.equal(['1', '2', 'reply to 3', '3', '4', '5']);
  });

  it('delivers an edit behind the message that was the newest when it was made', async () => {
    scenario.send(1);
    scenario.cluster.publish(TOPIC, {
      frame: 'edit of 1',
      about: { chatId: CHAT, head: 3, seq: 1, version: 1 },
    });
    scenario.send(3, 2, 4);
    await scenario.count(5);
    expect(scenario.received.indexOf('edit of 1')).to.be.above(scenario.received.indexOf('3'));
  });

  it('delivers edits of a message in the order of their versions', async () => {
    const edit = (version: number) =>
      scenario.cluster.publish(TOPIC, {
        frame: `edit ${version}`,
        about: { chatId: CHAT, head: 1, seq: 1, version, part: 'content' },
      });
    scenario.send(1);
    for (const version of [1, 3, 2, 4]) edit(version);
    await scenario.count(5);
    expect(scenario.received).to.deep.equal(['1', 'edit 1', 'edit 2', 'edit 3', 'edit 4']);
  });

  it('misses nothing of an outage', async () => {
    scenario.send(1);
    await scenario.count(1);
    await scenario.cluster.cut();
    scenario.send(2, 3);
    await scenario.cluster.restore();
    await scenario.count(3);
    scenario.send(4);
    await scenario.count(4);
    expect(scenario.received).to.deep.equal(['1', '2', '3', '4']);
  });

  it('misses nothing of two outages in a row', async () => {
    for (const seq of [1, 3]) {
      scenario.send(seq);
      await scenario.count(seq);
      await scenario.cluster.cut();
      scenario.send(seq + 1);
      await scenario.cluster.restore();
      await scenario.count(seq + 1);
    }
    expect(scenario.received).to.deep.equal(['1', '2', '3', '4']);
  });

  it('reads again when the record does not answer', async () => {
    scenario.record.failures = 1;
    scenario.store(1);
    scenario.send(2);
    await scenario.count(2);
    expect(scenario.received).to.deep.equal(['1', '2']);
    expect(scenario.record.reads).to.equal(2);
  });

  it('delivers nothing that was being read when the subscription ended, and releases the replies', async () => {
    let answer = () => {};
    scenario.record.reading = new Promise((resolve) => {
      answer = resolve;
    });
    scenario.store(1);
    scenario.send(2);
    scenario.bus.after(TOPIC, { chatId: CHAT, seq: 2 }, () => scenario.received.push('reply'));
    await scenario.cluster.until(() => scenario.record.reads === 1);
    scenario.unsubscribe();
    answer();
    scenario.cluster.publish(OTHER_TOPIC, { frame: 'of another chat', position: { chatId: OTHER, seq: 1 } });
    await scenario.count(2);
    expect(scenario.received).to.deep.equal(['reply', 'of another chat']);
    expect(scenario.bus.position(TOPIC, CHAT)).to.equal(undefined);
  });

  it('goes on behind messages that the record does not have any more', async () => {
    scenario.store(2);
    scenario.send(4);
    await scenario.count(2);
    expect(scenario.received).to.deep.equal(['2', '4']);
    expect(scenario.bus.position(TOPIC, CHAT)).to.equal(4);
  });

  it('gives up a gap of thousands, reports it once, and goes on', async () => {
    scenario.send(6_000, 6_001);
    await scenario.count(2);
    expect(scenario.received).to.deep.equal(['6000', '6001']);
    expect(scenario.tooLarge).to.deep.equal([CHAT]);
    expect(scenario.record.reads).to.equal(0);
  });

  it('delivers one chat while another one has a gap that cannot be read', async () => {
    scenario.record.failures = 1;
    scenario.store(1);
    scenario.send(2);
    scenario.cluster.publish(OTHER_TOPIC, { frame: 'of another chat', position: { chatId: OTHER, seq: 1 } });
    await scenario.count(3);
    expect(scenario.received).to.deep.equal(['of another chat', '1', '2']);
  });

  it('leaves a connection out of the push of a message that it has a reply for', async () => {
    const excepted: unknown[] = [];
    scenario.unsubscribe();
    scenario.bus.subscribe(TOPIC, (message) => 'frame' in message && excepted.push(message.except));
    scenario.bus.begin(TOPIC, [{ chatId: CHAT, seq: 0 }]);
    scenario.store(1, 2);
    scenario.bus.catchUp(TOPIC, { chatId: CHAT, seq: 2 }, 9 as ConnectionId);
    await scenario.cluster.until(() => excepted.length === 2);
    expect(excepted).to.deep.equal([undefined, 9]);
  });
}

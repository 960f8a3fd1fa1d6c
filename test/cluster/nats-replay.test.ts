import { connect } from '@nats-io/transport-node';
import { expect } from 'chai';
import { pino } from 'pino';
import type { BusMessage, ChatPosition } from '../../src/bus/bus.ts';
import { PATIENCE } from '../../src/bus/nats/Peer.ts';
import { createNatsTransport, type NatsTransport } from '../../src/bus/nats/transport.ts';
import { type Topic, userTopic } from '../../src/bus/topics.ts';
import type { ChatId, UserId } from '../../src/ids.ts';
import { startNatsOrSkip } from '../support/cluster.ts';
import { freePort } from '../support/harness.ts';
import { id } from '../support/ids.ts';
import { beats, type NatsServer } from '../support/nats.ts';
import { type Relay, startRelay } from '../support/relay.ts';
import { jumpAhead } from '../support/time.ts';
import { pause, until } from '../support/until.ts';

const TOPIC = userTopic(1 as UserId);

/** The NATS transport of a node, with a relay of its own to NATS. */
interface Node {
  readonly transport: NatsTransport;
  readonly relay: Relay;
  /** Received frames, including those of the node itself. */
  readonly frames: string[];
  readonly signals: BusMessage[];
  readonly heads: ChatPosition[];
  reconciled: number;
  resynchronised: number;
}

describe('publications between nodes', function () {
  this.timeout(60_000);
  let nats: NatsServer;
  let monitoringPort: number;
  const nodes: Node[] = [];

  before(async function () {
    monitoringPort = await freePort();
    nats = await startNatsOrSkip(this, '-m', `${monitoringPort}`);
  });
  afterEach(async () => {
    await Promise.all(nodes.map(({ transport }) => transport.close()));
    await Promise.all(nodes.splice(0).map(({ relay }) => relay.cut()));
  });
  after(() => nats?.stop());

  async function startNode(topic: Topic = TOPIC): Promise<Node> {
    const relay = await startRelay(nats.url);
    const frames: string[] = [];
    const signals: BusMessage[] = [];
    const heads: ChatPosition[] = [];
    const losses = {
      catchUp: (_: Topic, head: ChatPosition) => heads.push(head),
      reconcile: () => node.reconciled++,
      resynchronise: () => node.resynchronised++,
    };
    const log = pino({ level: process.env.LOG_LEVEL ?? 'silent' });
    const transport = await createNatsTransport({ servers: [relay.url] }, log, losses);
    const node: Node = { transport, relay, frames, signals, heads, reconciled: 0, resynchronised: 0 };
    await isUp(node);
    transport.subscribe(topic, (message) => {
      if ('frame' in message) frames.push(message.frame);
      else signals.push(message);
    });
    await transport.settled();
    nodes.push(node);
    return node;
  }

  const isUp = ({ transport }: Node) => until(() => transport.connected);
  async function cut(node: Node): Promise<void> {
    await node.relay.cut();
    await until(() => !node.transport.connected);
  }
  async function restore(node: Node): Promise<void> {
    await node.relay.restore();
    await isUp(node);
  }
  const edit = ({ transport }: Node, frame: string) => transport.publish(TOPIC, { frame });

  it('arrive in order when some were missed and newer ones arrive at once', async () => {
    const [a, b] = [await startNode(), await startNode()];
    edit(a, 'zero');
    await until(() => b.frames.length === 1);
    await cut(b);
    edit(a, 'one');
    const writing = { on: true };
    let n = 0;
    const writer = (async () => {
      while (writing.on) {
        edit(a, `${n++}`);
        await pause(1);
      }
    })();
    await restore(b);
    await until(() => b.frames.includes('one'));
    writing.on = false;
    await writer;
    edit(a, 'two');
    await until(() => b.frames.at(-1) === 'two');
    expect(b.frames).to.deep.equal(a.frames);
    expect(b.resynchronised).to.equal(0);
  });

  it('arrive although NATS is cut again before the replay of the first outage has ended', async () => {
    const [a, b] = [await startNode(), await startNode()];
    edit(a, 'before');
    await until(() => b.frames.length === 1);
    await cut(b);
    edit(a, 'in the first');
    await a.transport.settled(); // NATS has it
    a.relay.hold(); // no peer answers in the meantime
    await restore(b);
    await cut(b);
    a.relay.release();
    edit(a, 'in the second');
    await restore(b);
    await until(() => b.frames.length === 3);
    expect(b.frames).to.deep.equal(['before', 'in the first', 'in the second']);
    expect([a.resynchronised, b.resynchronised]).to.deep.equal([0, 0]);
  });

  it('arrive when the replay is late', async () => {
    const [a, b] = [await startNode(), await startNode()];
    edit(a, 'before');
    await until(() => b.frames.length === 1);
    await cut(b);
    edit(a, 'meanwhile');
    await a.transport.settled();
    a.relay.hold();
    await restore(b);
    await pause(300); // within the patience
    a.relay.release();
    await until(() => b.frames.length === 2);
    expect(b.frames).to.deep.equal(a.frames);
    expect(b.resynchronised).to.equal(0);
  });

  it('arrive from a node that could not reach NATS, before what it publishes afterwards', async () => {
    const [a, b, c] = [await startNode(), await startNode(), await startNode()];
    await cut(a);
    for (let n = 0; n < 100; n++) edit(a, `${n}`);
    const before = b.reconciled;
    a.transport.publish(TOPIC, { signal: { kind: 'revoked' } });
    a.transport.publish(TOPIC, { frame: 'm', position: { chatId: id(8), seq: 2 } });
    a.transport.publish(TOPIC, { frame: 'm', position: { chatId: id(9), seq: 5 } });
    const restored = restore(a);
    await until(() => a.transport.connected);
    edit(a, 'after');
    await restored;
    const edits = a.frames.filter((frame) => frame !== 'm');
    await until(() => b.frames.length >= edits.length && c.frames.length >= edits.length);
    expect(b.frames).to.deep.equal(edits);
    expect(c.frames).to.deep.equal(edits);
    // Signals and messages are in the database.
    expect(b.signals).to.deep.equal([]);
    expect(b.reconciled).to.equal(before + 1);
    expect(b.heads).to.have.deep.members([
      { chatId: 8, seq: 2 },
      { chatId: 9, seq: 5 },
    ]);
  });

  it('arrive after an outage of NATS for every node', async () => {
    const all = [await startNode(), await startNode(), await startNode()];
    await nats.stop();
    await until(() => all.every(({ transport }) => !transport.connected));
    for (const [index, node] of all.entries()) for (let n = 0; n < 10; n++) edit(node, `${index} ${n}`);
    await nats.start();
    for (const { frames } of all) {
      await until(() => frames.length === 30);
      for (const index of [0, 1, 2])
        expect(frames.filter((frame) => frame.startsWith(`${index} `))).to.deep.equal(
          Array.from({ length: 10 }, (_, n) => `${index} ${n}`),
        );
    }
    expect(all.map(({ resynchronised }) => resynchronised)).to.deep.equal([0, 0, 0]);
  });

  it('arrive in order, each once, however the nodes are cut', async () => {
    const all = [await startNode(), await startNode(), await startNode()];
    let n = 0;
    const writing = { on: true };
    const writer = (async () => {
      while (writing.on) {
        for (const [index, node] of all.entries()) edit(node, `${index} ${n}`);
        n++;
        await pause(2);
      }
    })();
    for (let round = 0; round < 12; round++) {
      const victims = all.filter(() => Math.random() < 0.5);
      await pause(Math.random() * 60);
      if (round % 3 === 0) {
        await Promise.all(victims.map(cut));
        await pause(Math.random() * 200);
        await Promise.all(victims.map(restore));
      } else if (round % 3 === 1) {
        for (const { relay } of victims) relay.drop(); // back at once, in the middle of the replay
      } else {
        for (const { relay } of victims) relay.hold();
        await pause(Math.random() * 200);
        for (const { relay } of victims) relay.release();
      }
    }
    writing.on = false;
    await writer;
    await until(() => all.every(({ frames }) => frames.length >= 3 * n));
    for (const { frames } of all)
      for (const index of [0, 1, 2])
        expect(frames.filter((frame) => frame.startsWith(`${index} `))).to.deep.equal(
          Array.from({ length: n }, (_, number) => `${index} ${number}`),
        );
    expect(all.map(({ resynchronised }) => resynchronised)).to.deep.equal([0, 0, 0]);
  });

  it('are reported as lost when their node has died', async () => {
    const [a, b] = [await startNode(), await startNode()];
    edit(a, 'before');
    await until(() => b.frames.length === 1);
    await cut(b);
    edit(a, 'lost with its node');
    await cut(a);
    await restore(b);
    const endJump = jumpAhead(PATIENCE);
    await until(() => b.resynchronised === 1);
    endJump();
    expect(b.frames).to.deep.equal(['before']);
  });

  it('are not reported as lost when their node stopped orderly, or there was no other node', async () => {
    const [a, b, c] = [await startNode(), await startNode(), await startNode()];
    edit(a, 'before');
    await until(() => b.frames.length === 1 && c.frames.length === 1);
    await a.transport.close();
    await b.transport.settled(); // it has received the goodbye
    await cut(b);
    await restore(b);
    edit(c, 'after');
    await until(() => b.frames.length === 2);
    await c.transport.close();
    await b.transport.settled();
    const { reconciled } = b;
    await cut(b);
    await restore(b);
    await until(() => b.reconciled > reconciled);
    const endJump = jumpAhead(PATIENCE); // as long as it would wait for peers
    await beats(nats, 1); // with which it looks whom it still waits for
    endJump();
    expect(b.resynchronised).to.equal(0);
  });

  it('are requested from NATS for as long as somebody here listens', async () => {
    const { transport } = await startNode();
    const requested = async (): Promise<string[]> => {
      const answer = await fetch(`http://127.0.0.1:${monitoringPort}/connz?subs=1`);
      const { connections } = (await answer.json()) as { connections: { subscriptions_list?: string[] }[] };
      return connections.flatMap(({ subscriptions_list: list = [] }) => list);
    };
    const unsubscribe = transport.subscribe('chat:7', () => {});
    await transport.settled();
    expect(await requested()).to.include.members(['parley.user.1', 'parley.chat.7']);
    unsubscribe();
    await transport.settled();
    expect(await requested()).to.include('parley.user.1');
    expect(await requested()).not.to.include('parley.chat.7');
  });

  it('survive a message that cannot be decoded', async () => {
    const [a, b] = [await startNode(), await startNode()];
    const stranger = await connect({ servers: [new URL(nats.url).host] });
    stranger.publish('parley.user.1', 'nonsense');
    stranger.publish('parley.nodes', 'nonsense');
    stranger.publish('parley.nodes', '{"published":1000}');
    await stranger.flush();
    await stranger.close();
    edit(a, 'after');
    await until(() => b.frames.length === 1);
  });

  it('reach other nodes, and the local subscribers, as a head', async () => {
    const [a, b] = [await startNode(), await startNode()];
    a.transport.publishHead(TOPIC, { chatId: id(3), seq: 4 });
    expect(a.heads).to.deep.equal([{ chatId: 3, seq: 4 }]);
    await until(() => b.heads.length === 1);
    expect(b.heads).to.deep.equal(a.heads);
  });

  it('are exchanged with a node of an earlier release, which does not accept batches', async () => {
    const [a, b] = [await startNode(), await startNode()];
    const old = await connect({ servers: [new URL(nats.url).host], noEcho: true });
    const frames: string[] = [];
    const starts: { node: string; reconcile?: number }[] = [];
    old.subscribe('parley.user.1', {
      callback(_, message) {
        frames.push(message.string().split('\n')[1] ?? '');
      },
    });
    old.subscribe('parley.nodes', {
      callback(_, message) {
        const announced = message.json<{ kind: string; node: string; reconcile?: number }>();
        if (announced.kind === 'start') starts.push(announced);
      },
    });
    let batches = 0;
    old.subscribe('parley.batches', { callback: () => void batches++ });
    await old.flush();
    await until(() => {
      edit(a, 'in a batch, before the old one is known');
      return batches > 0;
    });
    old.publish('parley.nodes', '{"kind":"start","node":"abcdefgh","beat":0,"from":0,"oldest":0,"next":0}');
    // The old node reads messages and signals from the database.
    await until(() => starts.some(({ reconcile }) => reconcile !== undefined));
    edit(a, 'after');
    edit(b, 'of another');
    old.publish('parley.user.1', '{"origin":{"node":"abcdefgh","number":0}}\nof the old one');
    const isComplete = (received: string[]) =>
      ['after', 'of another', 'of the old one'].every((frame) => received.includes(frame));
    await until(
      () => isComplete(a.frames) && isComplete(b.frames) && isComplete([...frames, 'of the old one']),
    );
    await old.close();
    expect([a.resynchronised, b.resynchronised]).to.deep.equal([0, 0]);
  });

  it('are not sent by a single node, and a new node reads them from the database', async () => {
    const a = await startNode();
    const stranger = await connect({ servers: [new URL(nats.url).host] });
    let batches = 0;
    const count = { callback: () => void batches++ };
    stranger.subscribe('parley.batches', count);
    stranger.subscribe('parley.user.1', count);
    await stranger.flush();
    let seq = 0;
    const message = () => ({ frame: `${++seq}`, position: { chatId: id<ChatId>(8), seq } });
    await until(async () => {
      const before = batches;
      a.transport.publish(TOPIC, message());
      await a.transport.settled();
      await stranger.flush();
      return batches === before;
    });
    edit(a, 'an edit');
    await until(() => batches === seq); // all but the last message, and the edit
    const b = await startNode();
    await until(() => b.reconciled === 2); // for its own connection, and because of the signal
    a.transport.publish(TOPIC, message());
    await until(() => b.frames.includes(`${seq}`));
    await stranger.close();
  });

  it('do not accumulate in a connection that NATS does not read', async () => {
    const [a, b] = [await startNode(), await startNode()];
    edit(a, 'before');
    await until(() => b.frames.length === 1);
    a.relay.hold();
    const frame = 'x'.repeat(100_000);
    const position = { chatId: id<ChatId>(8), seq: 0 };
    let published = 0;
    while (a.transport.connected && published < 100_000_000) {
      position.seq++;
      a.transport.publish(TOPIC, { frame, position: { ...position } });
      published += frame.length;
    }
    expect(published).to.be.below(40_000_000);
    for (let n = 0; n < 10; n++) edit(a, `${n}`);
    a.relay.release();
    await until(() => b.frames.includes('9') && b.heads.some(({ seq }) => seq === position.seq));
    expect(b.frames.filter((text) => text.length === 1)).to.deep.equal([...'0123456789']);
  });
});

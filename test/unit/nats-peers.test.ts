import { expect } from 'chai';
import { PATIENCE } from '../../src/bus/nats/Peer.ts';
import { Peers } from '../../src/bus/nats/Peers.ts';
import type { Bye, Hello, Start } from '../../src/bus/nats/peerMessages.ts';

/** Times are milliseconds since the start of the node. */
const start = (node: string, fields: Partial<Start> = {}): Start => ({
  kind: 'start',
  node,
  from: 0,
  oldest: 0,
  next: 0,
  beat: 0,
  ...fields,
});

const beat = (node: string, number: number, sent: number) =>
  ({ kind: 'beat', node, beat: number, sent }) as const;
const bye = (node: string, next: number): Bye => ({ kind: 'bye', node, next });

/** Returns the peers of a node that has been connected from the start, and has received publications 0 to 9 of `p`. */
function connectedPeers(): Peers {
  const peers = new Peers('self', 0);
  peers.connected(0, false);
  peers.check(0);
  peers.handle(start('p'), 10);
  for (let number = 0; number < 10; number++) expect(peers.receive({ node: 'p', number }, 20)).to.equal(true);
  peers.handle(beat('p', 1, 10), 1_000);
  return peers;
}

const receives = (peers: Peers, number: number, now: number) => peers.receive({ node: 'p', number }, now);

describe('the tracking of peers', () => {
  it('delivers every publication once', () => {
    const peers = connectedPeers();
    expect(receives(peers, 9, 1_100)).to.equal(false);
    expect(receives(peers, 12, 1_100)).to.equal(true); // 10 and 11 did not concern this node
    expect(receives(peers, 11, 1_100)).to.equal(false);
    expect(receives(peers, 12, 1_100)).to.equal(false);
  });

  it('delivers from a peer whose announcement has not arrived yet, on a connection without a break', () => {
    const peers = new Peers('self', 0);
    peers.connected(0, false);
    expect(receives(peers, 40, 10)).to.equal(true);
    const answer = start('p', { from: 50, next: 50, continues: { reached: 50, sent: 50 }, to: 'self' });
    expect(peers.handle(answer, 20)).to.deep.equal({});
    expect(receives(peers, 50, 30)).to.equal(true);
  });

  it('ignores new publications after an outage until the replay begins, then accepts all in order', () => {
    const peers = connectedPeers();
    peers.disconnected(2_000, 1_500);
    const hello = peers.connected(3_000, true);
    expect(hello).to.include({ kind: 'hello', node: 'self', others: 0, away: 1_500 });
    expect(hello.from).to.deep.equal({ p: 10 });
    expect(receives(peers, 15, 3_010)).to.equal(false); // live, and newer than the missed ones
    expect(
      peers.handle(start('p', { from: 10, next: 16, continues: { reached: 16, sent: 16 } }), 3_020),
    ).to.deep.equal({});
    expect([10, 13, 15, 16].map((number) => receives(peers, number, 3_030))).to.deep.equal(
      Array(4).fill(true),
    );
    expect(peers.isComplete).to.equal(false);
    expect(peers.handle(beat('p', 1, 17), 3_040)).to.deep.equal({});
    expect(peers.isComplete).to.equal(true);
  });

  it('counts the live peers', () => {
    const peers = connectedPeers();
    peers.handle(start('q'), 1_000);
    expect(peers.count(1_000)).to.equal(2);
    peers.handle(bye('q', 0), 1_100);
    expect(peers.count(1_100)).to.equal(1);
    expect(peers.count(60_000)).to.equal(0); // nothing was received from it
    peers.handle(beat('p', 2, 10), 61_000);
    expect(peers.count(61_000)).to.equal(1);
    peers.disconnected(62_000, 61_500);
    peers.connected(63_000, true);
    expect(peers.count(63_000)).to.equal(1); // its answer is pending
    peers.check(63_000 + PATIENCE + 1);
    expect(peers.count(63_000 + PATIENCE + 1)).to.equal(0);
  });

  it('is complete at once when there was no other node', () => {
    const peers = new Peers('self', 0);
    peers.connected(100, true);
    expect(peers.check(100)).to.deep.equal({});
    expect(peers.isComplete).to.equal(true);
    peers.disconnected(1_000, 900);
    expect(peers.connected(2_000, true).away).to.equal(1_100);
    expect(peers.check(2_000)).to.deep.equal({});
    expect(peers.isComplete).to.equal(true);
  });

  it('measures the outage from the first of several ones until the replay is complete', () => {
    const peers = connectedPeers();
    peers.disconnected(2_000, 1_500);
    expect(peers.connected(2_100, true).away).to.equal(600);
    peers.disconnected(2_200, 2_150);
    const again = peers.connected(2_500, true);
    expect(again).to.deep.include({ away: 1_000, from: { p: 10 } });
    peers.handle(start('p', { from: 10, next: 20 }), 2_600);
    expect(receives(peers, 12, 2_700)).to.equal(true);
    // in the middle of the replay
    peers.disconnected(2_800, 2_700);
    expect(peers.connected(3_000, true)).to.deep.include({ away: 1_500, from: { p: 13 } });
    peers.handle(start('p', { from: 13, next: 20 }), 3_100);
    peers.handle(beat('p', 1, 20), 3_200);
    expect(peers.isComplete).to.equal(true);
    peers.disconnected(9_000, 8_500);
    expect(peers.connected(9_100, true).away).to.equal(600);
  });

  it('accepts a late answer, and asks again until one arrives', () => {
    const peers = connectedPeers();
    peers.disconnected(2_000, 1_500);
    peers.connected(2_100, true);
    expect(peers.handle(beat('p', 2, 30), 3_100).ask).to.deep.equal({ kind: 'ask', of: 'p', from: 10 });
    expect(peers.check(2_100 + PATIENCE)).to.deep.equal({});
    peers.handle(start('p', { from: 10, next: 30 }), 2_100 + PATIENCE);
    expect(receives(peers, 11, 7_200)).to.equal(true);
  });

  it('waits while a replay makes progress, and reports the rest as lost', () => {
    const peers = connectedPeers();
    peers.disconnected(2_000, 1_500);
    peers.connected(2_100, true);
    peers.handle(start('p', { from: 10, next: 30 }), 3_000);
    for (let number = 10; number < 20; number++) {
      receives(peers, number, number * 1_000);
      expect(peers.check(number * 1_000 + 999)).to.deep.equal({});
    }
    expect(peers.check(19_000 + PATIENCE + 1)).to.deep.equal({ mustResynchronise: true });
    expect(peers.check(30_000)).to.deep.equal({}); // reported once
  });

  it('reports the publications of a peer as lost that does not answer any more', () => {
    const peers = connectedPeers();
    peers.disconnected(2_000, 1_500);
    peers.connected(3_000, true);
    expect(peers.check(3_000 + PATIENCE)).to.deep.equal({});
    expect(peers.check(3_000 + PATIENCE + 1)).to.deep.equal({ mustResynchronise: true });
    expect(peers.isComplete).to.equal(true);
  });

  it('accepts a peer that returns after it was given up', () => {
    const peers = connectedPeers();
    peers.disconnected(2_000, 1_500);
    peers.connected(3_000, true);
    peers.check(3_000 + PATIENCE + 1);
    expect(receives(peers, 14, 9_000)).to.equal(false);
    expect(peers.handle(start('p', { from: 12, next: 20 }), 9_100).ask).to.deep.equal({
      kind: 'ask',
      of: 'p',
      from: 10,
    });
    peers.handle(start('p', { from: 10, next: 20 }), 9_200);
    expect(receives(peers, 10, 9_300)).to.equal(true);
  });

  it('reports lost publications once, when all peers have answered', () => {
    const peers = connectedPeers();
    peers.handle(start('q'), 10);
    peers.disconnected(2_000, 1_500);
    peers.connected(3_000, true);
    expect(peers.handle(start('p', { from: 70, oldest: 60, next: 70 }), 3_100)).to.deep.equal({});
    expect(receives(peers, 70, 3_110)).to.equal(true);
    expect(peers.handle(start('q', { from: 90, oldest: 80, next: 90 }), 3_200)).to.deep.equal({
      mustResynchronise: true,
    });
  });

  it('asks a peer that had an outage itself for the publications that did not reach this node', () => {
    const peers = connectedPeers();
    expect(peers.handle(start('p', { from: 9, next: 12 }), 2_000)).to.deep.equal({}); // 9 was received before
    expect([9, 10, 11].map((number) => receives(peers, number, 2_010))).to.deep.equal([false, true, true]);
    peers.handle(beat('p', 1, 12), 2_020);
    expect(peers.isComplete).to.equal(true);
    expect(peers.handle(start('p', { from: 14, next: 20, reconcile: 700 }), 3_000)).to.deep.equal({
      ask: { kind: 'ask', of: 'p', from: 12 },
      reconcile: 700,
    });
  });

  it('ignores a replay for other nodes', () => {
    const peers = connectedPeers();
    const again = start('p', { from: 2, next: 12, continues: { reached: 12, sent: 12 } });
    expect(peers.handle(again, 2_000)).to.deep.equal({});
    expect([2, 9, 10, 11, 12].map((number) => receives(peers, number, 2_010))).to.deep.equal([
      ...Array(4).fill(false),
      true,
    ]);
  });

  it('asks for lost publications when a beat is missing', () => {
    const peers = connectedPeers();
    expect(peers.handle(beat('p', 2, 12), 2_000)).to.deep.equal({});
    expect(peers.handle(beat('p', 5, 20), 5_000)).to.deep.equal({
      ask: { kind: 'ask', of: 'p', from: 12 },
      reconcile: 3_000,
    });
    expect(receives(peers, 20, 5_010)).to.equal(false);
  });

  it('detects publications that a peer dropped before it could send them', () => {
    const peers = connectedPeers();
    const gap = start('p', { from: 40, oldest: 40, next: 60, continues: { reached: 20, sent: 20 } });
    expect(peers.handle(gap, 2_000)).to.deep.equal({});
    expect(receives(peers, 40, 2_010)).to.equal(true);
    expect(peers.handle(beat('p', 1, 60), 2_020)).to.deep.equal({ mustResynchronise: true });
  });

  describe('with peers that start and stop', () => {
    const hello = (peers: Peers, now: number): Hello => peers.connected(now, true);
    const answers = (
      peers: Peers,
      departed: { node: string; next?: number; ago: number }[],
      alive: string[] = [],
    ) => peers.handle(start('p', { from: 10, next: 10, to: 'self', roster: { alive, departed } }), 3_100);

    it('reports nothing as lost when a peer stops orderly, or crashes, while the node is connected', () => {
      const peers = connectedPeers();
      peers.handle(start('q'), 1_000);
      peers.handle(start('r'), 1_000);
      expect(peers.handle(bye('q', 5), 2_000)).to.deep.equal({});
      expect(peers.check(60_000)).to.deep.equal({});
      // r has been silent for long when the connection breaks; p was live
      peers.handle(beat('p', 2, 10), 60_000);
      peers.disconnected(61_000, 60_500);
      expect(hello(peers, 62_000).from).to.deep.equal({ p: 10, r: 0 });
      expect(peers.handle(start('p', { from: 10, next: 10 }), 62_100)).to.deep.equal({});
      expect(peers.isComplete).to.equal(true);
    });

    it('reports nothing as lost when a peer stopped during an outage without a new publication', () => {
      const peers = connectedPeers();
      peers.receive({ node: 'q', number: 4 }, 1_000);
      peers.disconnected(2_000, 1_500);
      hello(peers, 3_000);
      expect(answers(peers, [{ node: 'q', next: 5, ago: 700 }])).to.deep.equal({});
      expect(peers.isComplete).to.equal(true);
    });

    for (const [what, departed] of [
      ['published and stopped during an outage', { node: 'q', next: 6, ago: 700 }],
      ['started and stopped during an outage', { node: 'r', next: 1, ago: 700 }],
      ['started and crashed during an outage', { node: 'r', ago: 700 }],
    ] as const)
      it(`reports the publications of a peer as lost that ${what}`, () => {
        const peers = connectedPeers();
        peers.receive({ node: 'q', number: 4 }, 1_000);
        peers.handle(bye('q', 5), 1_100);
        peers.disconnected(2_000, 1_500);
        hello(peers, 3_000);
        expect(answers(peers, [departed])).to.deep.equal({ mustResynchronise: true });
      });

    it('waits for a peer that only others know, and reports its publications as lost if it does not answer', () => {
      const peers = connectedPeers();
      peers.disconnected(2_000, 1_500);
      hello(peers, 3_000);
      expect(answers(peers, [], ['self', 'p', 'q'])).to.deep.equal({});
      expect(peers.isComplete).to.equal(false);
      expect(peers.check(3_100 + PATIENCE + 1)).to.deep.equal({ mustResynchronise: true });
    });

    it('receives everything from a peer that started during an outage', () => {
      const peers = connectedPeers();
      peers.disconnected(2_000, 1_500);
      expect(hello(peers, 3_000).others).to.equal(0);
      peers.handle(start('q', { from: 0, next: 3, continues: { reached: 3, sent: 3 }, to: 'self' }), 3_050);
      expect([0, 1, 2].map((number) => peers.receive({ node: 'q', number }, 3_060))).to.deep.equal([
        true,
        true,
        true,
      ]);
    });

    it('misses nothing from peers that were live before it started, or that have stopped', () => {
      const peers = new Peers('self', 0);
      const first = peers.connected(100, false);
      expect(first).to.not.have.property('others');
      const departed = [
        { node: 'q', next: 700, ago: 5_000 },
        { node: 'r', ago: 5_000 },
      ];
      const answer = start('p', {
        from: 900,
        oldest: 800,
        next: 900,
        to: 'self',
        roster: { alive: ['s'], departed },
      });
      expect(peers.handle(answer, 200)).to.deep.equal({});
      expect(receives(peers, 900, 300)).to.equal(true);
      // and reports them to another node
      const roster = peers.roster({ kind: 'hello', node: 'n', from: {}, others: 0, away: 4_000 }, 1_000);
      expect(roster).to.deep.equal({
        alive: ['p'],
        departed: [
          { node: 'q', next: 700, ago: 5_800 },
          { node: 'r', next: undefined, ago: 5_800 },
        ],
      });
      // nor does it miss anything from them after an outage of its own
      peers.disconnected(2_000, 1_500);
      peers.connected(3_000, true);
      const again = departed.map((departure) => ({ ...departure, ago: departure.ago + 2_900 }));
      const known = { to: 'self', roster: { alive: [], departed: again } };
      expect(peers.handle(start('p', { from: 901, oldest: 800, next: 901, ...known }), 3_100)).to.deep.equal(
        {},
      );
      expect(peers.isComplete).to.equal(true);
    });

    it('waits neither for itself nor for the peer that answers, when it learns who was there', () => {
      const peers = connectedPeers();
      peers.disconnected(2_000, 1_500);
      hello(peers, 3_000);
      answers(peers, [{ node: 'self', next: 7, ago: 700 }], ['self', 'p', 'q']);
      peers.handle(beat('p', 1, 10), 3_200);
      peers.handle(start('q'), 3_300);
      expect(peers.handle(beat('q', 1, 0), 3_400)).to.deep.equal({});
      expect(peers.isComplete).to.equal(true);
    });

    it('asks all others from the start if it had subscribers before its first connection', () => {
      const peers = new Peers('self', 0);
      expect(hello(peers, 100)).to.include({ others: 0, away: 100 });
      expect(peers.receive({ node: 'q', number: 4 }, 200)).to.equal(false);
      expect(peers.handle(bye('q', 5), 300)).to.deep.equal({ mustResynchronise: true });
    });

    it('misses nothing if it had none, however often it connects', () => {
      const peers = new Peers('self', 0);
      peers.connected(100, false);
      expect(hello(peers, 200)).to.not.have.property('others');
      expect(peers.handle(bye('q', 5), 300)).to.deep.equal({});
      expect(peers.roster({ kind: 'hello', node: 'n', from: {}, away: 0 }, 400).departed).to.deep.equal([
        { node: 'q', next: 5, ago: 100 },
      ]);
    });

    it('gives up no peer while it is not connected itself', () => {
      const peers = connectedPeers();
      peers.disconnected(2_000, 1_500);
      expect(peers.check(2_000 + PATIENCE + 1)).to.deep.equal({});
      hello(peers, 60_000);
      expect(peers.handle(start('p', { from: 10, next: 10 }), 60_100)).to.deep.equal({});
      expect(peers.isComplete).to.equal(true);
    });

    it('informs a node who departed within its outage, and a new one who did within an hour', () => {
      const peers = connectedPeers();
      peers.handle(bye('p', 10), 2_000);
      const departed = (asked: object, now: number) =>
        peers.roster({ kind: 'hello', node: 'n', from: {}, away: 0, ...asked }, now).departed.length;
      expect([12_100, 12_101].map((now) => departed({ others: 0, away: 100 }, now))).to.deep.equal([1, 0]);
      expect([3_602_000, 3_602_001].map((now) => departed({}, now))).to.deep.equal([1, 0]);
    });

    it('forgets a silent peer after an hour', () => {
      for (const [checked, isNew] of [
        [3_601_000, false],
        [3_601_001, true],
      ] as const) {
        const peers = connectedPeers(); // which last received something after a second
        peers.check(checked);
        expect(receives(peers, 3, checked)).to.equal(isNew);
      }
    });

    it('reports everything as lost after an outage longer than the memory of all peers', () => {
      const peers = connectedPeers();
      peers.disconnected(2_000, 1_500);
      peers.connected(3_700_000, true);
      const roster = { alive: [], departed: [] };
      expect(peers.handle(start('p', { from: 10, next: 10, to: 'self', roster }), 3_700_100)).to.deep.equal({
        mustResynchronise: true,
      });
    });

    it('remembers a bounded number of peers', () => {
      const peers = new Peers('self', 0);
      peers.connected(0, false);
      for (let n = 0; n < 3_000; n++) {
        peers.handle(start(`${n}`), n);
        peers.handle(bye(`${n}`, 0), n);
      }
      expect(peers.roster({ kind: 'hello', node: 'n', from: {}, away: 0 }, 3_000).departed).to.have.length(
        1_000,
      );
    });
  });
});

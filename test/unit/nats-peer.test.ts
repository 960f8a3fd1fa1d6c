import { expect } from 'chai';
import { PATIENCE, Peer, type PeerState } from '../../src/bus/nats/Peer.ts';
import type { Start } from '../../src/bus/nats/peerMessages.ts';

/** A peer of which everything up to publication 9 arrived. */
const peer = (state: PeerState = 'current') => new Peer('p', 9, state, 0);

const start = (fields: Partial<Start>): Start => ({
  ...{ kind: 'start', node: 'p', from: 10, oldest: 0, next: 10, beat: 0 },
  ...fields,
});
const beat = (number: number, sent: number) => ({ kind: 'beat', node: 'p', beat: number, sent }) as const;

describe('what arrived of a peer', () => {
  it('takes each publication once while it is current', () => {
    const current = peer();
    expect([10, 12, 11, 12].map((number) => current.receive(number, 1))).to.deep.equal([
      true,
      true,
      false,
      false,
    ]);
    expect(current.missing).to.equal(13);
  });

  it('ignores publications while it is behind or departed', () => {
    for (const state of ['behind', 'departed'] as const) expect(peer(state).receive(10, 1)).to.equal(false);
  });

  it('waits for what it missed in an outage, but not for a peer that has been silent for long', () => {
    const [there, silent] = [peer(), peer()];
    there.noteReceived(20_000);
    for (const one of [there, silent]) one.disconnected(21_000);
    expect([there.state, silent.state]).to.deep.equal(['behind', 'departed']);
  });

  it('is current behind the end of a replay', () => {
    const behind = peer('behind');
    expect(behind.start(start({ from: 10, next: 12 }), 1)).to.deep.equal({ isLost: false });
    expect(behind.state).to.equal('replaying');
    expect(behind.receive(11, 2)).to.equal(true);
    expect(behind.beat(beat(1, 12), 3)).to.deep.equal({});
    expect(behind.state).to.equal('current');
  });

  it('asks again when a replay begins behind what is missing', () => {
    const behind = peer('behind');
    expect(behind.start(start({ from: 15, next: 20 }), 1)).to.deep.equal({
      ask: { kind: 'ask', of: 'p', from: 10 },
    });
    expect(behind.state).to.equal('behind');
  });

  it('reports as lost what the peer does not keep any more', () => {
    const behind = peer('behind');
    expect(behind.start(start({ from: 15, oldest: 12, next: 15 }), 1)).to.deep.equal({ isLost: true });
    expect(behind.state).to.equal('current');
    expect(behind.missing).to.equal(15);
  });

  it('asks when a beat is missing, and says so', () => {
    const current = peer();
    current.beat(beat(1, 10), 1);
    expect(current.beat(beat(3, 14), 3)).to.deep.equal({
      ask: { kind: 'ask', of: 'p', from: 10 },
      isInterrupted: true,
    });
  });

  it('asks with every beat as long as no replay has begun', () => {
    const behind = peer('behind');
    for (const number of [1, 2]) expect(behind.beat(beat(number, 20), number).ask).to.include({ from: 10 });
  });

  it('loses nothing with a goodbye while it is current, and something while it is behind', () => {
    expect(peer().bye(12)).to.equal(false);
    expect(peer('behind').bye(12)).to.equal(true);
    expect(peer('behind').bye(10)).to.equal(false);
  });

  it('may have lost something when it left without a goodbye', () => {
    const left = peer('behind');
    expect(left.depart(undefined)).to.equal(true);
    expect(left.departure(700)).to.deep.equal({ node: 'p', next: undefined, ago: 700 });
  });

  it('is given up when its replay makes no progress, and not while it does', () => {
    const behind = peer('behind');
    expect(behind.giveUpIfStuck(PATIENCE)).to.equal(false);
    behind.start(start({ from: 10, next: 20 }), PATIENCE);
    expect(behind.giveUpIfStuck(PATIENCE + 1)).to.equal(false);
    expect(behind.giveUpIfStuck(2 * PATIENCE + 1)).to.equal(true);
    expect(behind.state).to.equal('departed');
  });

  it('is waited for again when others have met it after it departed', () => {
    const departed = peer('departed');
    departed.returned(5);
    expect(departed.state).to.equal('behind');
  });
});

import { expect } from 'chai';
import { Heartbeat } from '../../src/client/Heartbeat.ts';

describe('a heartbeat', () => {
  it('counts no interval in which something was received', () => {
    const heartbeat = new Heartbeat();
    for (let interval = 0; interval < 3; interval++) {
      heartbeat.received();
      heartbeat.received();
      expect(heartbeat.tick()).to.equal(0);
    }
  });

  it('starts over with each received frame', () => {
    const heartbeat = new Heartbeat();
    heartbeat.tick();
    heartbeat.tick();
    heartbeat.received();
    expect([heartbeat.tick(), heartbeat.tick(), heartbeat.tick()]).to.deep.equal([0, 1, 2]);
  });

  it('counts the first interval of a connection that is silent from the start', () => {
    expect(new Heartbeat().tick()).to.equal(1);
  });

  it('counts on while nothing is received', () => {
    const heartbeat = new Heartbeat();
    expect([heartbeat.tick(), heartbeat.tick(), heartbeat.tick()]).to.deep.equal([1, 2, 3]);
  });
});

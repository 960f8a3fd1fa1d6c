import { expect } from 'chai';
import { StallWatch } from '../../src/messages/StallWatch.ts';

describe('the stall watch', () => {
  it('reports a stall after a minute, and again every ten', () => {
    const watch = new StallWatch(0);
    watch.record(5, true, 0);
    watch.record(5, true, 59_000);
    expect(watch.shouldWarn(59_000)).to.equal(false);
    watch.record(5, true, 61_000);
    expect(watch.stalledFor(61_000)).to.equal(61_000);
    expect(watch.shouldWarn(61_000)).to.equal(true);
    expect(watch.shouldWarn(660_999)).to.equal(false);
    expect(watch.shouldWarn(661_000)).to.equal(true);
  });

  it('reports a stall of exactly a minute, counted from the start where nothing was recorded', () => {
    const watch = new StallWatch(1_000);
    expect(watch.stalledFor(61_000)).to.equal(0);
    watch.fail();
    expect([watch.shouldWarn(60_999), watch.shouldWarn(61_000)]).to.deep.equal([false, true]);
    watch.record(5, true, 62_000);
    expect(watch.record(5, true, 63_000)).to.equal(false);
  });

  it('reports once that the work continues', () => {
    const watch = new StallWatch(0);
    watch.record(5, true, 0);
    expect(watch.shouldWarn(70_000)).to.equal(true);
    expect(watch.record(6, true, 71_000)).to.equal(true);
    expect(watch.record(7, true, 72_000)).to.equal(false);
    expect(watch.stalledFor(73_000)).to.equal(1_000);
  });

  it('reports nothing while there is no work, or the work progresses', () => {
    const watch = new StallWatch(0);
    watch.record(5, false, 0);
    watch.record(5, false, 100_000);
    expect(watch.stalledFor(200_000)).to.equal(0);
    watch.record(5, true, 200_000); // an item has just arrived
    expect(watch.stalledFor(201_000)).to.equal(1_000);
    watch.record(6, true, 202_000);
    expect(watch.shouldWarn(203_000)).to.equal(false);
  });

  it('counts from the last progress when checks fail', () => {
    const watch = new StallWatch(0);
    watch.record(5, false, 10_000);
    watch.fail();
    watch.fail();
    expect(watch.stalledFor(75_000)).to.equal(65_000);
    expect(watch.shouldWarn(75_000)).to.equal(true);
  });
});

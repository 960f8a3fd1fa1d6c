import { expect } from 'chai';
import { ReadingSchedule } from '../../src/events/ReadingSchedule.ts';

/** Returns a schedule that has read every 50 ms for two seconds, at a number of sent messages per second. */
function whileSending(perSecond: number): ReadingSchedule {
  const schedule = new ReadingSchedule();
  for (let at = 0; at <= 2_000; at += 50) schedule.record(1_000_000 + (perSecond * at) / 1_000, at);
  return schedule;
}

describe('the schedule of a consumer of events', () => {
  it('reads without a pause while few messages are sent, and at its beginning', () => {
    expect(new ReadingSchedule().restAfter(50)).to.equal(0);
    for (const perSecond of [0, 100, 2_900]) expect(whileSending(perSecond).restAfter(50)).to.equal(0);
  });

  it('pauses for half of the time while many are sent, and for nearly all of it while a node is full', () => {
    expect(whileSending(5_000).restAfter(20)).to.equal(20);
    expect(whileSending(20_000).restAfter(20)).to.equal(400);
  });

  it('never pauses for longer than a second', () => {
    expect(whileSending(20_000).restAfter(10_000)).to.equal(1_000);
  });
});

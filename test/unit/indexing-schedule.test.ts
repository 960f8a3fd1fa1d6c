import { expect } from 'chai';
import { IndexingSchedule } from '../../src/messages/IndexingSchedule.ts';

/** Returns a schedule that has checked every 50 ms for two seconds, at a number of sent messages per second. */
function whileSending(perSecond: number): IndexingSchedule {
  const schedule = new IndexingSchedule();
  for (let at = 0; at <= 2_000; at += 50) schedule.record(1_000_000 + (perSecond * at) / 1_000, at);
  return schedule;
}

/** Returns the messages indexed in a second, at a millisecond for twenty messages and another for each slice. */
function indexedPerSecond(schedule: IndexingSchedule): number {
  const took = 1 + schedule.slice / 20;
  return (schedule.slice * 1_000) / (took + schedule.restAfter(took));
}

describe('the schedule of the search indexer', () => {
  it('works most of the time while no user sends', () => {
    const schedule = whileSending(0);
    expect(schedule.restAfter(60)).to.equal(30);
    expect(schedule.slice).to.equal(1_000);
  });

  it('pauses most of the time while users send, and keeps up with them', () => {
    for (const perSecond of [500, 1_000, 2_000]) {
      const schedule = whileSending(perSecond);
      expect(schedule.slice).to.equal(64);
      expect(schedule.restAfter(10)).to.equal(50);
      expect(indexedPerSecond(schedule)).to.be.greaterThan(perSecond * 0.9);
    }
  });

  it('indexes at least 500 messages a second, whatever the load and however slow the database', () => {
    for (const perSecond of [1_000, 3_000, 100_000]) {
      const schedule = whileSending(perSecond);
      const took = 40;
      expect((schedule.slice * 1_000) / (took + schedule.restAfter(took))).to.be.greaterThan(500);
    }
  });

  it('is not misled by a single moment, nor by the first number that it sees', () => {
    const schedule = new IndexingSchedule();
    schedule.record(1_000_000, 50);
    expect(schedule.slice).to.equal(1_000);
    schedule.record(1_000_050, 100); // a thousand a second, for a tenth of the window
    expect(schedule.slice).to.equal(1_000);
    schedule.record(1_000_100, 150);
    expect(schedule.slice).to.equal(64);
  });

  it('detects within half a second that users send, and within three seconds that none do', () => {
    const schedule = whileSending(0);
    for (let at = 2_000; at <= 2_500; at += 50) schedule.record(1_000_000 + (at - 2_000) / 2, at);
    expect(schedule.slice).to.equal(64);
    for (let at = 2_500; at <= 5_500; at += 50) schedule.record(1_000_250, at);
    expect(schedule.slice).to.equal(1_000);
  });
});

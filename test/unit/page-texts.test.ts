import { mock } from 'node:test';
import { expect } from 'chai';
import { ParleyError } from '../../src/client/index.ts';
import { deviceOf } from '../../web/src/device.ts';
import { sentence } from '../../web/src/hooks.ts';
import { dayOf, fullTime, isSameDay, lastSeen, shortTime, timeOf } from '../../web/src/time.ts';

/** An ISO time of the local time zone, in which the page counts days. */
const at = (day: number, hours: number, minutes = 0) => new Date(2026, 0, day, hours, minutes).toISOString();
const inWords = (days: number) => {
  const words = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' }).format(days, 'day');
  return words.charAt(0).toUpperCase() + words.slice(1);
};

describe('the times in the page', () => {
  beforeEach(() => mock.timers.enable({ apis: ['Date'], now: Date.parse(at(20, 12)) }));

  it('are the clock today, the weekday within a week, and the date before', () => {
    expect(shortTime(at(20, 0))).to.equal(timeOf(at(20, 0)));
    for (const day of [19, 14]) {
      const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' }).format(
        new Date(at(day, 23, 59)),
      );
      expect(shortTime(at(day, 23, 59))).to.equal(weekday);
    }
    const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
    expect(shortTime(at(13, 23, 59))).to.equal(date.format(new Date(at(13, 12))));
  });

  it('of a day are in words today and yesterday', () => {
    expect([dayOf(at(20, 0)), dayOf(at(19, 23, 59))]).to.deep.equal([inWords(0), inWords(-1)]);
    const words = { weekday: 'long', day: 'numeric', month: 'long' } as const;
    const long = new Intl.DateTimeFormat(undefined, words).format(new Date(at(18, 12)));
    expect(dayOf(at(18, 23, 59))).to.equal(long);
    expect(fullTime(at(18, 12))).to.include('2026');
  });

  it('are on one day from midnight to midnight', () => {
    expect(isSameDay(at(19, 0), at(19, 23, 59))).to.equal(true);
    expect(isSameDay(at(19, 23, 59), at(20, 0))).to.equal(false);
  });

  it('since when somebody is away are in minutes for an hour', () => {
    const minutes = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
    expect(lastSeen(at(20, 12))).to.equal('last seen just now');
    for (const count of [1, 59])
      expect(lastSeen(at(20, 12, -count))).to.equal(`last seen ${minutes.format(-count, 'minute')}`);
    expect(lastSeen(at(20, 11))).to.equal(`last seen ${shortTime(at(20, 11))}`);
  });
});

describe('an error in the page', () => {
  it('is the sentence of the server, without the path of the parameter', () => {
    const said = (message: string) => sentence(new ParleyError('BAD_REQUEST', message));
    expect(said('body.password must have at least 8 characters')).to.equal(
      'Password must have at least 8 characters.',
    );
    expect(said('params.content is required')).to.equal('Content is required.');
    expect(said('Is that so?')).to.equal('Is that so?');
    expect(said('It is.')).to.equal('It is.');
  });

  it('that is none of the server is a general one', () => {
    expect(sentence(new TypeError('x is undefined'))).to.equal('Something went wrong. Please try again.');
  });
});

describe('the name of a device in the page', () => {
  const webKit = 'AppleWebKit/537.36 (KHTML, like Gecko)';
  const windows = `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webKit}`;

  it('is the browser and the system, although a User-Agent also names those that it resembles', () => {
    const agents = {
      'Edge on Windows': `${windows} Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0`,
      'Opera on Windows': `${windows} Chrome/130.0.0.0 Safari/537.36 OPR/114.0.0.0`,
      'Chrome on Android': `Mozilla/5.0 (Linux; Android 10; K) ${webKit} Chrome/130.0.0.0 Mobile Safari/537.36`,
      'Firefox on Linux': 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0',
      'Safari on iPhone': `Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) ${webKit} Version/17.6 Safari/604.1`,
      'Safari on Mac OS X': `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${webKit} Version/17.6 Safari/605.1`,
    };
    for (const [name, agent] of Object.entries(agents)) expect(deviceOf(agent)).to.equal(name);
  });

  it('is the whole text if it names no browser, and says so if there is none', () => {
    expect(deviceOf('laptop with Linux')).to.equal('laptop with Linux');
    expect([deviceOf(null), deviceOf('')]).to.deep.equal(['Unknown device', 'Unknown device']);
  });

  it('is the browser alone if the system is unknown', () => {
    expect(deviceOf('Mozilla/5.0 (Haiku) Firefox/132.0')).to.equal('Firefox');
  });
});

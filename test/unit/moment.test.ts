import { expect } from 'chai';
import { isMoment } from '../../src/protocol/schema/moment.ts';

describe('the check of a time from a client', () => {
  const accepted = [
    '2026-01-31T12:00:00Z',
    '2026-01-31T12:00Z',
    '2026-01-31T12:00:00.123456789+05:30',
    '2024-02-29T23:59:59Z',
    '2000-02-29T00:00:00Z',
    '1000-01-01T00:00+23:59',
    '9999-12-31T23:59:59.999Z',
  ];
  const refused = [
    [
      'a day that the month does not have',
      '2026-02-30T12:00:00Z',
      '2026-04-31T12:00:00Z',
      '2026-01-00T12:00:00Z',
    ],
    ['a leap day of another year', '2026-02-29T12:00:00Z', '2100-02-29T12:00:00Z'],
    ['a month that does not exist', '2026-00-01T12:00:00Z', '2026-13-01T12:00:00Z'],
    [
      'an hour, a minute or a second that does not exist',
      '2026-01-01T24:00:00Z',
      '2026-01-01T12:60:00Z',
      '2026-01-01T12:00:61Z',
    ],
    ['a leap second', '2016-12-31T23:59:60Z'],
    [
      'an offset that does not exist',
      '2026-01-01T12:00:00+99:00',
      '2026-01-01T12:00:00+24:00',
      '2026-01-01T12:00:00-05:60',
    ],
    [
      'a year of more or fewer digits',
      '999-01-01T12:00:00Z',
      '0999-01-01T12:00:00Z',
      '10000-01-01T12:00:00Z',
      '+002026-01-01T12:00:00Z',
      '-000001-01-01T12:00:00Z',
    ],
    ['the year 10000 in UTC', '9999-12-31T23:59:59-00:01'],
    [
      'a time without an offset, or in another form',
      '2026-01-01T12:00:00',
      '2026-01-01',
      '2026-01-01 12:00:00Z',
      '2026-01-01t12:00:00z',
      'Thu, 01 Jan 2026 12:00:00 GMT',
      '1767268800',
      '',
    ],
  ] as const;

  it('accepts times that exist and have an offset', () => {
    for (const text of accepted) expect(isMoment(text), text).to.equal(true);
  });

  for (const [what, ...texts] of refused)
    it(`refuses ${what}`, () => {
      for (const text of texts) expect(isMoment(text), text).to.equal(false);
    });
});

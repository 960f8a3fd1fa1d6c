/** A date and a time of RFC 3339, to the minute at least, and how far they are from UTC. */
const MOMENT =
  /^([1-9]\d{3}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
/** A time of 9999 with an offset may be of the year 10000 in UTC, which has no four digits. */
const LAST = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * Returns whether a text is a time that exists, of the years 1000 to 9999. Leap seconds do not: neither JavaScript nor
 * PostgreSQL counts them.
 */
export function isMoment(text: string): boolean {
  const date = MOMENT.exec(text)?.[1];
  return date !== undefined && isDate(date) && Date.parse(text) <= LAST;
}

/** `Date` goes on counting: it takes the 30th of February for the 2nd of March. */
function isDate(date: string): boolean {
  const time = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}

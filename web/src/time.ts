const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const longDate = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

const DAY = 24 * 60 * 60 * 1000;

const startOfDay = (time: Date) => new Date(time.getFullYear(), time.getMonth(), time.getDate()).getTime();
const daysAgo = (time: Date) => Math.round((startOfDay(new Date()) - startOfDay(time)) / DAY);

export const timeOf = (iso: string): string => clock.format(new Date(iso));
export const fullTime = (iso: string): string => full.format(new Date(iso));
export const isSameDay = (one: string, other: string): boolean =>
  startOfDay(new Date(one)) === startOfDay(new Date(other));

/** Returns the time if it is of today, the weekday if it is of the last week, else the date. */
export function shortTime(iso: string): string {
  const time = new Date(iso);
  const days = daysAgo(time);
  if (days < 1) return clock.format(time);
  return days < 7 ? weekday.format(time) : date.format(time);
}

/** Returns the day as a divider between messages shows it. */
export function dayOf(iso: string): string {
  const time = new Date(iso);
  const days = daysAgo(time);
  return days < 2 ? capitalised(relative.format(-days, 'day')) : longDate.format(time);
}

/** Returns how long ago a user was online, as a text. */
export function lastSeen(iso: string): string {
  const minutes = Math.round((Date.now() - Date.parse(iso)) / 60_000);
  if (minutes < 1) return 'last seen just now';
  if (minutes < 60) return `last seen ${relative.format(-minutes, 'minute')}`;
  return `last seen ${shortTime(iso)}`;
}

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

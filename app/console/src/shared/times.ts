const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const SOON = 14 * DAY;

const exactFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'long' });
const shortFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const relativeFormat = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** Return a moment with its zone, for hover, focus and screen readers. */
export const exactTime = (iso: string): string => exactFormat.format(new Date(iso));

export const dayOf = (iso: string): string => dayFormat.format(new Date(iso));

/** Return a moment as a table shows it: relative within a week, otherwise local date and time. */
export function shortTime(iso: string, now: number): string {
  const distance = Date.parse(iso) - now;
  const size = Math.abs(distance);
  if (size >= WEEK) {
    return shortFormat.format(new Date(iso));
  }
  if (size < HOUR) {
    return relativeFormat.format(Math.trunc(distance / MINUTE), 'minute');
  }
  return size < DAY
    ? relativeFormat.format(Math.trunc(distance / HOUR), 'hour')
    : relativeFormat.format(Math.trunc(distance / DAY), 'day');
}

/** How an end date stands to now: within 14 days it is soon. */
export type EndState = 'none' | 'ended' | 'soon' | 'later';

export function endState(iso: string | null, now: number): EndState {
  if (iso === null) {
    return 'none';
  }
  const left = Date.parse(iso) - now;
  if (left <= 0) {
    return 'ended';
  }
  return left <= SOON ? 'soon' : 'later';
}

/** Return the moment after a number of days, at the same local time of day. */
export function endAfterDays(days: number, now: number): string {
  const end = new Date(now);
  end.setDate(end.getDate() + days);
  return end.toISOString();
}

export function endAfterYear(now: number): string {
  const end = new Date(now);
  end.setFullYear(end.getFullYear() + 1);
  return end.toISOString();
}

/** Return whether two ends are the same moment. The server writes microseconds, a browser milliseconds. */
export function isSameMoment(one: string | null, other: string | null): boolean {
  return one === null || other === null ? one === other : Date.parse(one) === Date.parse(other);
}

const twoDigits = (value: number): string => String(value).padStart(2, '0');

const TIME_TEXT = /T\d{2}:\d{2}/;

/** Return a moment as the value of an input of the type datetime-local, in local time. */
export function toLocalInput(iso: string): string {
  const date = new Date(iso);
  const day = [date.getFullYear(), twoDigits(date.getMonth() + 1), twoDigits(date.getDate())].join('-');
  return `${day}T${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`;
}

/** Return the moment of such a value; null if it is no moment. */
export function fromLocalInput(value: string): string | null {
  const time = Date.parse(value);
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

/** Return whether such a value has a time that the clocks of its day skip. Browsers take it for a later one. */
export function isSkippedTime(value: string): boolean {
  const iso = fromLocalInput(value);
  const time = TIME_TEXT.exec(value)?.[0];
  return iso !== null && time !== undefined && !toLocalInput(iso).endsWith(time);
}

/** Return the name of the local time zone. */
export const zoneName = (): string => new Intl.DateTimeFormat('en').resolvedOptions().timeZone;

const DAY_TEXT = /^\d{4}-\d{2}-\d{2}$/;

/** Return the moment at which a local day, or one some days later, begins; null if the text is no day. */
export function startOfDay(day: string | undefined, daysLater = 0): string | null {
  if (day === undefined || !DAY_TEXT.test(day)) {
    return null;
  }
  const start = new Date(`${day}T00:00`);
  start.setDate(start.getDate() + daysLater);
  return Number.isNaN(start.getTime()) ? null : start.toISOString();
}

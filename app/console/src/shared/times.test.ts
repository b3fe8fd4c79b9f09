import { env } from 'node:process';
import { afterEach, describe, expect, it } from 'vitest';
import {
  DAY,
  endAfterDays,
  endAfterYear,
  endState,
  fromLocalInput,
  isSameMoment,
  isSkippedTime,
  shortTime,
  toLocalInput,
} from './times';

const NOW = Date.parse('2026-05-03T12:00:00Z');
const at = (offset: number): string => new Date(NOW + offset).toISOString();

describe('shortTime', () => {
  it('is relative within a week', () => {
    expect(shortTime(at(0), NOW)).toBe('this minute');
    expect(shortTime(at(-5 * 60_000), NOW)).toBe('5 minutes ago');
    expect(shortTime(at(3 * 3_600_000), NOW)).toBe('in 3 hours');
    expect(shortTime(at(-DAY), NOW)).toBe('yesterday');
  });
  it('is a date beyond a week', () => {
    expect(shortTime(at(-30 * DAY), NOW)).toContain('3 Apr 2026');
  });
});

describe('endState', () => {
  it('distinguishes none, ended, soon and later', () => {
    expect(endState(null, NOW)).toBe('none');
    expect(endState(at(0), NOW)).toBe('ended');
    expect(endState(at(14 * DAY), NOW)).toBe('soon');
    expect(endState(at(14 * DAY + 1), NOW)).toBe('later');
  });
});

describe('ends', () => {
  it('are days and a year ahead', () => {
    expect(endAfterDays(30, NOW)).toBe('2026-06-02T12:00:00.000Z');
    expect(endAfterYear(NOW)).toBe('2027-05-03T12:00:00.000Z');
  });
  it('are compared as moments', () => {
    expect(isSameMoment('2026-05-03T12:00:00.000000Z', '2026-05-03T14:00:00+02:00')).toBe(true);
    expect(isSameMoment(null, null)).toBe(true);
    expect(isSameMoment(null, at(0))).toBe(false);
  });
  it('go to an input and back', () => {
    expect(fromLocalInput(toLocalInput(at(0)))).toBe(at(0));
    expect(fromLocalInput('')).toBeNull();
  });
});

describe('isSkippedTime', () => {
  const zone = env['TZ'];
  afterEach(() => {
    if (zone === undefined) {
      delete env['TZ'];
    } else {
      env['TZ'] = zone;
    }
  });
  it.each([
    ['America/New_York', '2027-03-14T02:30', true],
    ['America/New_York', '2027-03-14T01:59', false],
    ['America/New_York', '2027-03-14T03:00', false],
    ['America/New_York', '2027-11-07T01:30', false],
    ['Africa/Cairo', '2027-04-30T00:30', true],
    ['UTC', '2027-03-14T02:30', false],
    ['UTC', '2027-03-14T02:30:15', false],
    ['UTC', '', false],
  ])('in %s, %s: %s', (name, value, isSkipped) => {
    env['TZ'] = name;
    expect(isSkippedTime(value)).toBe(isSkipped);
  });
});

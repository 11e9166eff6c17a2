import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTimestamp } from '../../../src/core/values/timestamp.js';

const first = new Date('0001-01-01T00:00:00.000Z');
const last = new Date('9999-12-31T23:59:59.999Z');
const dates = fc.date({ min: first, max: last, noInvalidDate: true });

describe('a timestamp', () => {
  it.each([
    ['2024-02-29T12:30:00.250Z', '2024-02-29T12:30:00.250Z'],
    ['2024-02-29T12:30:00Z', '2024-02-29T12:30:00.000Z'],
    ['2024-02-29T12:30Z', '2024-02-29T12:30:00.000Z'],
    ['2024-02-29T12:30:00.5Z', '2024-02-29T12:30:00.500Z'],
    ['2024-02-29T12:30:00.250999999Z', '2024-02-29T12:30:00.250Z'],
    ['2024-12-31T23:59:59.9999999999999999999999Z', '2024-12-31T23:59:59.999Z'],
    ['2024-02-29T12:30:00+02:00', '2024-02-29T10:30:00.000Z'],
    ['2024-02-29T12:30:00-0930', '2024-02-29T22:00:00.000Z'],
    ['2024-03-01T00:30:00+05:45', '2024-02-29T18:45:00.000Z'],
    ['2024-01-01T00:00:00-00:00', '2024-01-01T00:00:00.000Z'],
    ['2024-01-01T00:00:00+23:59', '2023-12-31T00:01:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [first, '0001-01-01T00:00:00.000Z'],
    [last, '9999-12-31T23:59:59.999Z'],
    [runInNewContext('new Date(0)'), '1970-01-01T00:00:00.000Z'],
  ])('%s is %s', (value, iso) => {
    expect(parseTimestamp(value)).toEqual({ iso });
  });

  it.each([
    '',
    'now',
    '2024',
    '2024-01-01',
    '2024-01-01 00:00:00Z',
    '2024-01-01T00:00:00',
    '2024-01-01T00Z',
    '2024-1-1T00:00:00Z',
    '2024-01-01T00:00:00+2',
    '2024-01-01T00:00:00+24:00',
    '2024-01-01T00:00:00+01:60',
    '2024-01-01T00:00:00 Z',
    ' 2024-01-01T00:00:00Z',
    '2024-01-01T00:00:00Z\n',
    '2024-01-01T00:00:00.Z',
    '+002024-01-01T00:00:00Z',
    'Mon, 01 Jan 2024 00:00:00 GMT',
    0,
    1704067200000,
    null,
    undefined,
    {},
    { getTime: () => 0 },
    ['2024-01-01T00:00:00Z'],
  ])('%j is none', (value) => {
    expect(parseTimestamp(value)).toHaveProperty('problem', expect.stringContaining('ISO 8601'));
  });

  it.each([
    '2024-00-01T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-01-00T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z',
    '2024-12-31T23:59:60Z',
    new Date(Number.NaN),
  ])('%s is not possible', (value) => {
    expect(parseTimestamp(value)).toEqual({ problem: 'is not a possible date' });
  });

  it.each([
    '0000-12-31T23:59:59Z',
    '0001-01-01T00:59:59+01:00',
    '9999-12-31T23:00:00-01:00',
    new Date(first.getTime() - 1),
    new Date(last.getTime() + 1),
    new Date(8.64e15),
  ])('%s is out of range', (value) => {
    expect(parseTimestamp(value)).toEqual({ problem: 'is outside the years 1 to 9999' });
  });

  it('of a Date is its own, and comes back from its own text', () => {
    fc.assert(
      fc.property(dates, (date) => {
        const expected = { iso: date.toISOString() };
        expect(parseTimestamp(date)).toEqual(expected);
        expect(parseTimestamp(date.toISOString())).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('is the same moment in every offset', () => {
    const inside = fc.date({ min: new Date('0002-01-01'), max: new Date('9998-12-31'), noInvalidDate: true });
    const offsets = fc.integer({ min: -(24 * 60 - 1), max: 24 * 60 - 1 });
    fc.assert(
      fc.property(inside, offsets, fc.constantFrom(':', ''), (date, offset, colon) => {
        const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, -1);
        const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60].map((part) =>
          String(part).padStart(2, '0'),
        );
        const text = `${local}${offset < 0 ? '-' : '+'}${hours}${colon}${minutes}`;
        expect(parseTimestamp(text)).toEqual({ iso: date.toISOString() });
      }),
    );
  });

  it('exists for the days that the calendar has, and for no others', () => {
    const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
    // Every year of the range would take seconds: these are all leap rules, twice, and both ends.
    const years = [1, 4, 100, 400, ...Array.from({ length: 401 }, (_, year) => 1800 + year), 9996, 9999];
    const wrong: string[] = [];
    for (const year of years) {
      for (let month = 1; month <= 12; month++) {
        const days = month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
        for (let day = 27; day <= 32; day++) {
          const text = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}T00:00:00.000Z`;
          const parsed = parseTimestamp(text);
          const isRight = day <= days ? 'iso' in parsed && parsed.iso === text : 'problem' in parsed;
          if (!isRight) wrong.push(text);
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});

function pad(value: number, length: number): string {
  return String(value).padStart(length, '0');
}

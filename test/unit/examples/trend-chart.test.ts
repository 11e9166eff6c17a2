import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { drawTrendLines, drawTrendSvg } from '../../../examples/payment/analytics/trend-chart.js';

const bucket = (day: number, count: number) => ({
  start: `2026-03-${String(day).padStart(2, '0')}T00:00:00.000Z`,
  count,
});

describe('a trend in the terminal', () => {
  it('is a line for each interval, as long as its share of the highest', () => {
    const buckets = [bucket(1, 4), bucket(2, 0), bucket(3, 2), bucket(4, 1)];
    expect(drawTrendLines({ title: 'Payments', interval: 'day', buckets }, 4)).toBe(
      ['2026-03-01  ████ 4', '2026-03-02  0', '2026-03-03  ██ 2', '2026-03-04  █ 1'].join('\n'),
    );
  });

  it.each([
    ['hour', '2026-03-01 00:00  0'],
    ['week', '2026-03-01  0'],
    ['month', '2026-03  0'],
  ] as const)('by %s begins with %s', (interval, line) => {
    expect(drawTrendLines({ title: '', interval, buckets: [bucket(1, 0)] })).toBe(line);
  });

  it('shows what is not nothing', () => {
    const buckets = [bucket(1, 1000), bucket(2, 1)];
    expect(drawTrendLines({ title: '', interval: 'day', buckets })).toMatch(/02 {2}█ 1$/);
  });
});

describe('a trend as a picture', () => {
  /** The columns of a well-formed picture: height and what it says. */
  function columnsOf(svg: string): { height: number; text: string }[] {
    const columns: { height: number; text: string }[] = [];
    const parser = new SaxesParser();
    let height: number | undefined;
    parser.on('error', (error) => {
      throw error;
    });
    parser.on('opentag', ({ name, attributes }) => {
      if (name === 'rect') {
        height = attributes['class'] === 'ground' ? undefined : Number(attributes['height']);
      }
    });
    parser.on('text', (text) => {
      if (height !== undefined && text.includes(': ')) columns.push({ height, text });
    });
    parser.write(svg).close();
    return columns;
  }

  it('has a column for each interval, as high as its share of the highest', () => {
    const buckets = [bucket(1, 4), bucket(2, 0), bucket(3, 2)];
    const columns = columnsOf(drawTrendSvg({ title: 'A & <b>', interval: 'day', buckets }));
    expect(columns.map(({ text }) => text)).toEqual(['2026-03-01: 4', '2026-03-02: 0', '2026-03-03: 2']);
    const [highest, none, half] = columns.map(({ height }) => height);
    expect([none, half]).toEqual([0, (highest ?? NaN) / 2]);
  });

  it('of nothing, or of very much, is a picture too', () => {
    expect(columnsOf(drawTrendSvg({ title: '', interval: 'day', buckets: [] }))).toEqual([]);
    const many = Array.from({ length: 5000 }, (_, index) => bucket((index % 28) + 1, index));
    const svg = drawTrendSvg({ title: '', interval: 'day', buckets: many });
    expect(columnsOf(svg)).toHaveLength(5000);
    expect(svg.match(/text-anchor="middle"/g)?.length).toBeLessThanOrEqual(12);
  });
});

import { SaxesParser } from 'saxes';
import { beforeEach, describe, expect, it } from 'vitest';
import { drawTransitions } from '../../../examples/event-log/transition-matrix.js';

interface Drawn {
  readonly name: string;
  readonly attributes: Record<string, string>;
  text: string;
}

/** The elements of a figure that is well-formed. */
function elementsOf(svg: string): Drawn[] {
  const elements: Drawn[] = [];
  const open: Drawn[] = [];
  const parser = new SaxesParser();
  parser.on('opentag', ({ name, attributes }) => {
    const element = { name, attributes: attributes as Record<string, string>, text: '' };
    elements.push(element);
    open.push(element);
  });
  parser.on('text', (text) => {
    const element = open.at(-1);
    if (element !== undefined) element.text += text;
  });
  parser.on('closetag', () => open.pop());
  parser.on('error', (error) => {
    throw error;
  });
  parser.write(svg).close();
  return elements;
}

const titlesOf = (svg: string): string[] =>
  elementsOf(svg).flatMap(({ name, text }) => (name === 'title' ? [text] : []));

/** The elements of a class, without what else they are. */
const ofClass = (svg: string, name: string): Drawn[] =>
  elementsOf(svg).filter(({ attributes }) => attributes['class']?.split(' ').includes(name));

describe('the figure of transitions', () => {
  it('is well-formed, whatever activities are called', () => {
    const svg = drawTransitions('A & B', [{ activity: '<a> & "b"', next: ']]>', count: 1_200 }]);
    expect(titlesOf(svg)).toEqual(['A & B', '<a> & "b" → ]]>: 1,200']);
  });

  it('has a cell for each transition between the 40 most frequent activities', () => {
    const transitions = Array.from({ length: 60 }, (_, index) => {
      return { activity: `a${index}`, next: `a${index}`, count: 100 - index };
    });
    const titles = titlesOf(drawTransitions('many', transitions));
    expect(titles).toHaveLength(41);
    expect(titles.at(-1)).toBe('a39 → a39: 61');
    expect(drawTransitions('many', transitions)).toContain('The 40 most frequent of 60 activities.');
  });

  it('is empty for a log whose cases have one event each', () => {
    expect(titlesOf(drawTransitions('none', []))).toEqual(['none']);
  });

  let svg: string;
  beforeEach(() => {
    svg = drawTransitions('some', [
      { activity: 'b', next: 'c', count: 100 },
      { activity: 'c', next: 'c', count: 10 },
      { activity: 'a', next: 'b', count: 1 },
      { activity: 'z', next: 'y', count: 1 },
    ]);
  });

  it('has a row and a column for each activity: the most frequent first, and then by name', () => {
    const labels = ofClass(svg, 'label').map(({ text }) => text);
    expect(labels).toEqual(['c', 'c', 'b', 'b', 'a', 'a', 'y', 'y', 'z', 'z']);
    expect(svg).toContain('5 activities. ');
  });

  it('has its cells in the row of what comes first and the column of what follows', () => {
    const grid = ofClass(svg, 'grid')[0]!.attributes;
    const side = Number(grid['width']) / 5;
    const places = ofClass(svg, 'cell').map(({ attributes }) => {
      const [x, y] = ['x', 'y'].map((axis) => (Number(attributes[axis]) - Number(grid[axis])) / side);
      return { row: y, column: x };
    });
    expect(places).toEqual([
      { row: 1, column: 0 },
      { row: 0, column: 0 },
      { row: 2, column: 1 },
      { row: 4, column: 3 },
    ]);
    expect(ofClass(svg, 'cell').map(({ attributes }) => Number(attributes['width']))).toEqual(
      Array.from({ length: 4 }, () => side),
    );
  });

  it('has labels beside the middle of their row and above that of their column', () => {
    const { x, y, width, height } = ofClass(svg, 'grid')[0]!.attributes;
    const labels = ofClass(svg, 'label').map(({ attributes }) => attributes);
    const rows = labels.filter((label) => label['transform'] === undefined);
    const columns = labels.flatMap(({ transform }) =>
      transform === undefined ? [] : [/translate\((\S+) (\S+)\)/.exec(transform)!.slice(1).map(Number)],
    );
    const [left, top, side] = [x, y, width].map(Number) as [number, number, number];
    const cell = side / 5;
    expect(height).toBe(width);
    for (const [index, row] of rows.entries()) {
      expect(Number(row['x'])).toBeLessThan(left);
      expect(Math.abs(Number(row['y']) - (top + (index + 0.5) * cell))).toBeLessThan(cell / 4);
    }
    for (const [index, [across = 0, down = 0]] of columns.entries()) {
      expect(Math.abs(across - (left + (index + 0.5) * cell))).toBeLessThan(cell / 4);
      expect(down).toBeLessThan(top);
    }
    expect([rows, columns].map(({ length }) => length)).toEqual([5, 5]);
  });

  it('has darker cells for more, on a logarithmic scale, and counts that can be read on them', () => {
    const shades = ofClass(svg, 'cell').map(({ attributes }) => Number(attributes['fill-opacity']));
    expect(shades).toEqual([1, 0.54, 0.08, 0.08]);
    const counts = ofClass(svg, 'count').map(({ text, attributes }) => [text, attributes['class']]);
    expect(counts).toEqual([
      ['100', 'count light'],
      ['10', 'count'],
      ['1', 'count'],
      ['1', 'count'],
    ]);
    expect(svg).toContain('on a logarithmic scale up to 100.');
  });

  it('has dark cells where there is one of each', () => {
    const ones = drawTransitions('ones', [{ activity: 'a', next: 'b', count: 1 }]);
    expect(ofClass(ones, 'cell').map(({ attributes }) => attributes['fill-opacity'])).toEqual(['1.000']);
  });

  it.each([
    ['a'.repeat(32), 'a'.repeat(32)],
    ['a'.repeat(33), `${'a'.repeat(31)}…`],
  ])('has room for labels, which it cuts: %s', (activity, label) => {
    const cut = drawTransitions('long', [{ activity, next: activity, count: 12_345 }]);
    expect(ofClass(cut, 'label').map(({ text }) => text)).toEqual([label, label]);
    expect(ofClass(cut, 'count').map(({ text }) => text)).toEqual(['12K']);
    // Letters are less than 7 wide.
    expect(Number(ofClass(cut, 'grid')[0]!.attributes['x'])).toBeGreaterThan(32 * 6);
  });

  it('holds all that it draws', () => {
    const [{ attributes } = { attributes: {} }] = elementsOf(svg) as { attributes: Record<string, string> }[];
    const grid = ofClass(svg, 'grid')[0]!.attributes;
    const [width, height] = [Number(attributes['width']), Number(attributes['height'])];
    expect(attributes['viewBox']).toBe(`0 0 ${width} ${height}`);
    expect(width).toBeGreaterThan(Number(grid['x']) + Number(grid['width']));
    expect(height).toBeGreaterThan(Number(grid['y']) + Number(grid['height']));
  });
});

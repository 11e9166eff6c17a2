import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { drawTransitions } from '../../../examples/event-log/transition-matrix.js';

/** The titles of the cells of a figure that is well-formed. */
function titlesOf(svg: string): string[] {
  const titles: string[] = [];
  const parser = new SaxesParser();
  let isTitle = false;
  parser.on('opentag', ({ name }) => (isTitle = name === 'title'));
  parser.on('text', (text) => isTitle && text.trim() !== '' && titles.push(text));
  parser.on('error', (error) => {
    throw error;
  });
  parser.write(svg).close();
  return titles;
}

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
});

import { describe, expect, it } from 'vitest';
import { OptionError, readOptions } from '../../../examples/fines/options.js';

describe('the options of the example', () => {
  it.each([
    [[], { file: undefined, limit: undefined }],
    [['a.csv'], { file: 'a.csv', limit: undefined }],
    [['--limit', '10', 'a.csv'], { file: 'a.csv', limit: 10 }],
    [['--limit=100000000000000'], { file: undefined, limit: 1e14 }],
  ])('%j are read', (args, options) => {
    expect(readOptions(args)).toEqual(options);
  });

  it.each([
    [['a', 'b'], 'One log at a time.'],
    [['--limit', '0'], '--limit 0 is not a positive'],
    [['--limit', '01'], '--limit 01 is not'],
    [['--limit', '1x'], '--limit 1x is not'],
    [['--limit', 'x1'], '--limit x1 is not'],
    [['--limit', '1.5'], '--limit 1.5 is not'],
    [['--limit', '1000000000000000'], '--limit 1000000000000000 is not'],
    [['--all'], "Unknown option '--all'"],
  ])('%j are refused, and the error says how it is done', (args, problem) => {
    expect(() => readOptions(args)).toThrow(OptionError);
    expect(() => readOptions(args)).toThrow(expect.objectContaining({ name: 'OptionError' }));
    expect(() => readOptions(args)).toThrow(problem);
    expect(() => readOptions(args)).toThrow('fines [FILE] [--limit LINES]');
  });
});

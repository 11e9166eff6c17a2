import { expect, it } from 'vitest';
import { mergeTraces, type SearchTrace } from '../../../src/temporal/shared/search-trace.js';

const nothing: SearchTrace = {};
const without: SearchTrace = { known: [], unknown: { what: 'the projection', advice: 'Add it.' } };
const withOthers: SearchTrace = { ...without, known: ['orders'] };
const version = (known: string): SearchTrace => ({
  known: [known],
  unknown: { what: 'version 3', advice: 'Deploy it.', isOfVersion: true },
});
const heldUp: SearchTrace = { heldUpBy: 'no connection' };

it.each<[string, SearchTrace, SearchTrace, SearchTrace]>([
  ['nothing and something', nothing, withOthers, withOthers],
  ['workers that know other projections', without, withOthers, withOthers],
  ['workers that know other versions', version('1'), version('2'), { ...version('1'), known: ['1', '2'] }],
  ['one that knows the projection and one that does not', version('1'), withOthers, version('1')],
  ['one that does not know the projection and one that does', withOthers, version('1'), version('1')],
  ['one that knows enough and was held up', heldUp, version('1'), { ...version('1'), ...heldUp }],
  ['one that was held up at last', version('1'), heldUp, { ...version('1'), ...heldUp }],
])('%s are told of as one', (_what, earlier, later, merged) => {
  expect(mergeTraces(earlier, later)).toEqual(merged);
});

import { describe, expect, it } from 'vitest';
import { projectCases } from '../../../examples/event-log/project-cases.js';
import { comparable, figuresOf } from './expected-figures.js';
import { copySample, generateLog } from './logs.js';
import { useProjectedStore } from './projected-store.js';

describe('the projection of cases', { timeout: 120_000 }, () => {
  it('says of each log what its file says, over the ends of pages and of imports', async () => {
    const { store, projections, load, figures } = await useProjectedStore();
    const [sample, interleaved] = [await copySample(), await generateLog()];
    await load(sample);
    await projectCases(projections, store);
    expect(comparable(await figures(sample))).toEqual(comparable(await figuresOf(sample)));

    await load(interleaved);
    const reported: { done: number; total: number }[] = [];
    await projectCases(projections, store, { onProgress: (progress) => reported.push(progress) });
    expect(reported.at(-1)).toEqual({ done: 1844, total: 1844 });
    for (const file of [sample, interleaved]) {
      expect(comparable(await figures(file))).toEqual(comparable(await figuresOf(file)));
    }
  });

  it('says nothing of a log that is not there', async () => {
    const { store, projections, load, figures } = await useProjectedStore();
    await load(await copySample());
    await projectCases(projections, store);
    expect(await figures(await generateLog())).toEqual({
      cases: 0,
      events: 0,
      months: [],
      throughput: { median: 0, p90: 0, longest: 0 },
      transitions: [],
    });
  });
});

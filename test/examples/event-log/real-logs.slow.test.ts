import { join } from 'node:path';
import type { EventStore, StoreCapabilities } from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';
import { tagOf } from '../../../examples/event-log/case-event.js';
import { importLog } from '../../../examples/event-log/import-log.js';
import { projectCases } from '../../../examples/event-log/project-cases.js';
import { findLongestStream } from '../../../examples/event-log/report.js';
import { connectClient } from '../../support/temporal.js';
import { runScript } from '../script.js';
import { comparable, figuresOf } from './expected-figures.js';
import { useImportWorker } from './import-worker.js';
import { sourceOf } from './logs.js';
import { useProjectedStore } from './projected-store.js';

// Public logs of real processes, which are not part of the project.
const folder = process.env['EVENT_LOG_DIR'] ?? '';

// Counted by other means than this reader.
const facts = [
  {
    file: 'roadtraffic100traces.csv',
    events: 390,
    cases: 100,
    types: 10,
    some: {
      'Create Fine': 100,
      'Send Fine': 78,
      Payment: 58,
      'Insert Fine Notification': 57,
      'Add penalty': 57,
      'Send for Credit Collection': 36,
    },
    span: ['2000-03', '2013-04'],
    longest: ['Case-V18195', 9],
  },
  {
    file: 'receipt.csv',
    events: 8_577,
    cases: 1_434,
    types: 27,
    some: {
      'Confirmation of receipt': 1_434,
      'T06 Determine necessity of stop advice': 1_416,
      'T02 Check confirmation of receipt': 1_368,
    },
    span: ['2010-10', '2012-01'],
    longest: ['Case-case-9289', 25],
  },
  {
    file: 'bpic2012.xes.gz',
    events: 262_200,
    cases: 13_087,
    types: 24,
    some: { A_SUBMITTED: 13_087, 'W_Completeren aanvraag': 54_850, 'W_Nabellen offertes': 52_016 },
    // The first event is of 1 October 2011, 00:38 in the Netherlands.
    span: ['2011-09', '2012-03'],
    longest: ['Case-185548', 175],
  },
];

type Facts = (typeof facts)[number];

async function expectFacts(
  store: EventStore & StoreCapabilities,
  { events, cases, types, some, span, longest }: Facts,
  fingerprint: string,
): Promise<void> {
  const { total, streams, byType } = await store.statistics();
  expect({ total, streams, types: Object.keys(byType).length }).toEqual({
    total: events,
    streams: cases,
    types,
  });
  expect(byType).toMatchObject(some);
  const months = await store.trends({ interval: 'month' });
  expect([months.at(0), months.at(-1)].map((month) => month?.start.slice(0, 7))).toEqual(span);
  expect(months.reduce((sum, { count }) => sum + count, 0)).toBe(events);
  const last = await findLongestStream(store, tagOf(fingerprint));
  expect([last?.streamId, last?.version]).toEqual(longest);
}

describe.runIf(folder !== '')('a real log', { timeout: 400_000 }, () => {
  // The largest is imported below, into a store that holds it on disk.
  it.each(facts.filter(({ events }) => events < 100_000))(
    '$file is imported with its $events events of $cases cases',
    async (known) => {
      const { events, cases } = known;
      const client = await connectClient();
      const store = new MemoryEventStore();
      const log = await sourceOf(join(folder, known.file));

      const imported = await importLog(client, { log, taskQueue: await useImportWorker(store) });

      expect(imported).toEqual({ events, cases, added: events });
      await expectFacts(store, known, log.fingerprint);
    },
  );

  it.each(facts)('$file is imported into PGlite, and projected as its file says', async (known) => {
    const { events, cases } = known;
    const file = join(folder, known.file);
    const { store, projections, load, figures } = await useProjectedStore();

    expect(await load(file)).toEqual({ events, cases, added: events });
    await projectCases(projections, store);

    await expectFacts(store, known, (await sourceOf(file)).fingerprint);
    const found = await figures(file);
    expect(found).toMatchObject({ events, cases });
    expect(comparable(found)).toEqual(comparable(await figuresOf(file)));
  });

  describe('of 74 MB', () => {
    const file = join(folder, 'bpic2012.xes.gz');
    const readLog = new URL('./read-log.ts', import.meta.url);
    const nodeOptions = ['--max-old-space-size=48'];

    it('is read in a heap of 48 MB', async () => {
      const { code, stdout } = await runScript(readLog, [file], {
        nodeOptions,
      });
      expect({ code, stdout }).toEqual({ code: 0, stdout: '262200\n' });
    });

    it('does not fit into it when it is kept, so that this proves something', async () => {
      const { code, stderr } = await runScript(readLog, [file], {
        nodeOptions,
        env: { KEEP: 'yes' },
      });
      expect(code).not.toBe(0);
      expect(stderr).toContain('heap out of memory');
    });
  });
});

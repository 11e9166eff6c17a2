import { join } from 'node:path';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { PGliteEventStore } from 'temporal-event-store/pglite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { importLog } from '../../../examples/event-log/import-log.js';
import { findLongestStream } from '../../../examples/event-log/report.js';
import { tagOf } from '../../../examples/event-log/case-event.js';
import { connectClient } from '../../support/temporal.js';
import { useImportWorker } from './import-worker.js';
import { sourceOf } from './logs.js';
import { runScript } from '../script.js';

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

const stores = [
  { place: 'memory', open: async () => new MemoryEventStore() },
  {
    place: 'PGlite',
    open: async () => {
      const store = await PGliteEventStore.open();
      onTestFinished(() => store.close());
      return store;
    },
  },
];

describe.runIf(folder !== '')('a real log', { timeout: 240_000 }, () => {
  it.each(stores.flatMap((store) => facts.map((log) => ({ ...store, ...log }))))(
    '$file is imported into $place with its $events events of $cases cases',
    async ({ open, file, events, cases, types, some, span, longest }) => {
      const client = await connectClient();
      const store = await open();
      const taskQueue = await useImportWorker(store);
      const log = await sourceOf(join(folder, file));

      expect(await importLog(client, { log, taskQueue })).toEqual({ events, cases, added: events });

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
      const last = await findLongestStream(store, tagOf(log.fingerprint));
      expect([last?.streamId, last?.version]).toEqual(longest);
    },
  );

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

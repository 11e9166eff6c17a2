import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { iterateAll, StoreUnavailableError } from 'temporal-event-store';
import { AggregateClient, TemporalEventStore } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { PGliteEventStore } from 'temporal-event-store/pglite';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { tagOf } from '../../../examples/event-log/case-event.js';
import { findEventLogProblem } from '../../../examples/event-log/event-log-error.js';
import { fingerprintOf } from '../../../examples/event-log/log-reader.js';
import type { FineLog } from '../../../examples/fines/activities.js';
import { FineAggregate } from '../../../examples/fines/fine-aggregate.js';
import { importFineLog } from '../../../examples/fines/import-fines.js';
import type { Totals } from '../../../examples/fines/totals.js';
import type { fineTotals } from '../../../examples/fines/workflows.js';
import { connectClient, uniqueName } from '../../support/temporal.js';
import { temporaryFile } from '../../support/temporary-file.js';
import { useFineWorker } from './fine-worker.js';

const sample = fileURLToPath(new URL('../../../examples/fines/sample-fines.csv', import.meta.url));
const lines = 35;
const sampleTotals: Totals = {
  2021: { fines: 1, fined: 41_00, payments: 0, paid: 0 },
  // A payment of New Year's Day, which in UTC was still on New Year's Eve.
  2022: { fines: 4, fined: 330_40, payments: 5, paid: 540_00 },
  2023: { fines: 2, fined: 71_40, payments: 2, paid: 71_90 },
};

let client: Client;
beforeEach(async () => {
  client = await connectClient();
});

async function logOf(file: string, limit?: number): Promise<FineLog> {
  return { file, fingerprint: await fingerprintOf(file), ...(limit !== undefined && { limit }) };
}

function totalsOf({ fingerprint }: FineLog, taskQueue: string): Promise<Totals> {
  return client.workflow.execute<typeof fineTotals>('fineTotals', {
    workflowId: uniqueName('fine-totals'),
    taskQueue,
    args: [{ tag: tagOf(fingerprint) }],
  });
}

async function eventsOf(store: MemoryEventStore, id: string): Promise<string[]> {
  return (await store.readStream(`Fine-${id}`)).events.map(({ type }) => type);
}

describe('the import of fines', () => {
  it('gives each fine its commands, and what the rules forbid is recorded', async () => {
    const store = new MemoryEventStore();
    const taskQueue = await useFineWorker(store);
    const log = await logOf(sample);
    expect(await importFineLog(client, { log, taskQueue })).toEqual({ lines, stored: 0 });

    expect(await totalsOf(log, taskQueue)).toEqual(sampleTotals);
    expect(await eventsOf(store, 'T2')).toEqual([
      'FineCreated',
      'FineSent',
      'FineNotified',
      'PenaltyAdded',
      'SentForCollection',
    ]);
    const irregular: unknown[] = [];
    for await (const { streamId, data } of iterateAll(store, {
      filter: { types: ['IrregularityRecorded'] },
    })) {
      irregular.push([streamId, data]);
    }
    expect(irregular).toEqual([
      [
        'Fine-T5',
        {
          on: '2022-10-03',
          command: 'send',
          payload: { on: '2022-10-03', expense: 12_50 },
          rule: 'PAID_IN_FULL',
        },
      ],
      [
        'Fine-T7',
        { on: '2024-07-01', command: 'collect', payload: { on: '2024-07-01' }, rule: 'PAID_IN_FULL' },
      ],
    ]);
    const [first] = (await store.readStream('Fine-T1')).events;
    expect(first).toMatchObject({ occurredAt: '2021-12-29T23:00:00.000Z', metadata: { actor: '7' } });
  });

  it('done again, also from a part of it, adds what is missing', async () => {
    const store = new MemoryEventStore();
    const taskQueue = await useFineWorker(store);
    const part = await logOf(sample, 20);
    const log = await logOf(sample);
    expect(await importFineLog(client, { log: part, taskQueue })).toEqual({ lines: 20, stored: 0 });
    expect((await store.statistics()).total).toBe(20);
    expect(await importFineLog(client, { log, taskQueue })).toEqual({ lines, stored: 20 });
    expect(await importFineLog(client, { log, taskQueue })).toEqual({ lines, stored: lines });

    expect((await store.statistics()).total).toBe(lines);
    expect(await totalsOf(log, taskQueue)).toEqual(sampleTotals);
  });

  it('stores each line once where the store fails, also after it has stored', async () => {
    const store = new MemoryEventStore();
    let calls = 0;
    const append: MemoryEventStore['appendCommits'] = store.appendCommits.bind(store);
    store.appendCommits = async (...args) => {
      const call = ++calls;
      if (call % 3 === 1) throw new StoreUnavailableError('It is down.');
      const results = await append(...args);
      if (call % 3 === 2) throw new StoreUnavailableError('It went down after the commit.');
      return results;
    };
    const taskQueue = await useFineWorker(store);
    const log = await logOf(sample);
    await importFineLog(client, { log, taskQueue });
    expect((await store.statistics()).total).toBe(lines);
    expect(await totalsOf(log, taskQueue)).toEqual(sampleTotals);
  });

  it.each([
    ['another log', 'Repair', '', "line 3: 'Repair' is nothing that happens to a fine."],
    ['a name of every object', 'toString', '', "line 3: 'toString' is nothing that happens to a fine."],
    [
      'a payment without an amount',
      'Payment',
      '',
      "line 3: 'Payment' has no 'paymentAmount' in euros and cents.",
    ],
    [
      'a payment of parts of a cent',
      'Payment',
      '1.005',
      "line 3: 'Payment' has no 'paymentAmount' in euros and cents.",
    ],
  ])('of %s fails with the line, and stores nothing', async (_what, activity, amount, problem) => {
    const store = new MemoryEventStore();
    const taskQueue = await useFineWorker(store);
    const file = await temporaryFile(
      'fines.csv',
      'case:concept:name,concept:name,time:timestamp,amount,paymentAmount\n' +
        'A1,Create Fine,2020-01-01T00:00:00Z,30.0,\n' +
        `A1,${activity},2020-01-02T00:00:00Z,,${amount}\n`,
    );
    const failure: unknown = await importFineLog(client, { log: await logOf(file), taskQueue }).catch(
      (error: unknown) => error,
    );
    expect(findEventLogProblem(failure) ?? findEventLogProblem((failure as Error).cause)).toContain(problem);
    expect((await store.statistics()).total).toBe(0);
  });

  it('leaves fines that take commands from now on, by the same rules', async () => {
    const store = new MemoryEventStore();
    const taskQueue = await useFineWorker(store);
    await importFineLog(client, { log: await logOf(sample), taskQueue });
    const fines = new AggregateClient({ client, aggregate: FineAggregate, taskQueue });

    await fines.execute('T6', 'pay', { on: '2024-01-05', amount: 97_10 });
    await expect(fines.execute('T6', 'collect', { on: '2024-02-01' })).rejects.toMatchObject({
      code: 'DOMAIN_ERROR',
      reason: 'PAID_IN_FULL',
    });
    const { state } = await new TemporalEventStore({ client, taskQueue }).replay({
      aggregate: 'Fine',
      id: 'T6',
    });
    expect(state).toMatchObject({ amount: 84_00, expense: 13_10, paid: 97_10, irregularities: 0 });
  });
});

// A public log, which is not part of the project.
const folder = process.env['EVENT_LOG_DIR'] ?? '';

/** The sums of the file, by nothing but its text: it has no quotes. */
async function sumsOf(file: string): Promise<Totals> {
  const [header = '', ...rows] = (await readFile(file, 'utf8')).trim().split('\n');
  const column = (row: string, name: string) => row.split(',')[header.split(',').indexOf(name)] ?? '';
  const sums: Record<string, { fines: number; fined: number; payments: number; paid: number }> = {};
  for (const row of rows) {
    const year = column(row, 'time:timestamp').slice(0, 4);
    const of = (sums[year] ??= { fines: 0, fined: 0, payments: 0, paid: 0 });
    const cents = (name: string) => Math.round(parseFloat(column(row, name)) * 100);
    if (column(row, 'concept:name') === 'Create Fine') {
      of.fines++;
      of.fined += cents('amount');
    } else if (column(row, 'concept:name') === 'Payment') {
      of.payments++;
      of.paid += cents('paymentAmount');
    }
  }
  return Object.fromEntries(Object.entries(sums).filter(([, { fines, payments }]) => fines + payments > 0));
}

/** As many lines as the log of all fines would need many copies for. */
async function multiplied(file: string, copies: number): Promise<string> {
  const [header = '', ...rows] = (await readFile(file, 'utf8')).trim().split('\n');
  const caseColumn = header.split(',').indexOf('case:concept:name');
  const copy = (number: number) =>
    rows.map((row) =>
      row
        .split(',')
        .with(caseColumn, `${row.split(',')[caseColumn]}-${number}`)
        .join(','),
    );
  return temporaryFile(
    'many.csv',
    [header, ...Array.from({ length: copies }, (_, number) => copy(number)).flat()].join('\n'),
  );
}

describe.runIf(folder !== '')('the log of road traffic fines', { timeout: 60_000 }, () => {
  const file = join(folder, 'roadtraffic100traces.csv');

  it('has the totals of its text, and one step against the rules', async () => {
    const store = new MemoryEventStore();
    const taskQueue = await useFineWorker(store);
    const log = await logOf(file);
    expect(await importFineLog(client, { log, taskQueue })).toEqual({ lines: 390, stored: 0 });

    const totals = await totalsOf(log, taskQueue);
    expect(totals).toEqual(await sumsOf(file));
    const count = (field: 'fines' | 'payments') =>
      Object.values(totals).reduce((sum, year) => sum + year[field], 0);
    expect([count('fines'), count('payments')]).toEqual([100, 58]);
    const { byType } = await store.statistics();
    expect(byType).toMatchObject({
      // One of the 78 lines is about a fine that had been paid two months before.
      FineSent: 77,
      IrregularityRecorded: 1,
      FineNotified: 57,
      PenaltyAdded: 57,
      SentForCollection: 36,
    });
    expect(await eventsOf(store, 'N36957')).toEqual([
      'FineCreated',
      'PaymentReceived',
      'IrregularityRecorded',
    ]);
  });

  it('forty times over goes into PGlite in less than a minute', async () => {
    const store = await PGliteEventStore.open();
    onTestFinished(() => store.close());
    const taskQueue = await useFineWorker(store);
    const many = await multiplied(file, 40);
    const log = await logOf(many);
    expect(await importFineLog(client, { log, taskQueue })).toEqual({ lines: 15_600, stored: 0 });
    expect(await totalsOf(log, taskQueue)).toEqual(await sumsOf(many));
    expect((await store.statistics()).streams).toBe(4_000);
  });
});

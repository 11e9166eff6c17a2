import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { PGliteEventStore } from 'temporal-event-store/pglite';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { importFineLog } from '../../../examples/fines/import-fines.js';
import type { Totals } from '../../../examples/fines/totals.js';
import { connectClient } from '../../support/temporal.js';
import { temporaryFile } from '../../support/temporary-file.js';
import { eventsOf, logOf, totalsOf } from './fine-log.js';
import { useFineWorker } from './fine-worker.js';

let client: Client;
beforeEach(async () => {
  client = await connectClient();
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

    const totals = await totalsOf(client, log, taskQueue);
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
    expect(await totalsOf(client, log, taskQueue)).toEqual(await sumsOf(many));
    expect((await store.statistics()).streams).toBe(4_000);
  });
});

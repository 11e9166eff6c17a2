import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { iterateAll, StoreUnavailableError } from 'temporal-event-store';
import { AggregateClient, TemporalEventStore } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it } from 'vitest';
import { findEventLogProblem } from '../../../examples/event-log/event-log-error.js';
import { FineAggregate } from '../../../examples/fines/fine-aggregate.js';
import { importFineLog } from '../../../examples/fines/import-fines.js';
import type { Totals } from '../../../examples/fines/totals.js';
import { connectClient } from '../../support/temporal.js';
import { temporaryFile } from '../../support/temporary-file.js';
import { expectWorkerLog } from '../../support/worker-log.js';
import { eventsOf, logOf, totalsOf } from './fine-log.js';
import { useFineWorker } from './fine-worker.js';

expectWorkerLog(
  / Workflow failed Error: Activity task failed/,
  / failed StoreUnavailableError: It is down/,
  / failed StoreUnavailableError: It went down after the commit/,
);

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

describe('the import of fines', () => {
  it('gives each fine its commands, and what the rules forbid is recorded', async () => {
    const store = new MemoryEventStore();
    const taskQueue = await useFineWorker(store);
    const log = await logOf(sample);
    expect(await importFineLog(client, { log, taskQueue })).toEqual({ lines, stored: 0 });

    expect(await totalsOf(client, log, taskQueue)).toEqual(sampleTotals);
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
    expect(await totalsOf(client, log, taskQueue)).toEqual(sampleTotals);
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
    expect(await totalsOf(client, log, taskQueue)).toEqual(sampleTotals);
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

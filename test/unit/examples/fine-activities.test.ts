import { fileURLToPath } from 'node:url';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it } from 'vitest';
import { tagOf } from '../../../examples/event-log/case-event.js';
import { fingerprintOf } from '../../../examples/event-log/log-reader.js';
import { createFineActivities, type FineLog } from '../../../examples/fines/activities.js';
import type { Totals } from '../../../examples/fines/totals.js';
import { temporaryFile } from '../../support/temporary-file.js';

const file = fileURLToPath(new URL('../../../examples/fines/sample-fines.csv', import.meta.url));
const lines = 35;

/** Of activities that fail as they should. */
const silent = new DefaultLogger('ERROR');

let environment: MockActivityEnvironment;
let beats: unknown[];
let store: MemoryEventStore;

beforeEach(() => {
  environment = new MockActivityEnvironment(undefined, { logger: silent });
  beats = [];
  environment.on('heartbeat', (details) => beats.push(details));
  store = new MemoryEventStore();
});

async function logOf(file: string, limit?: number): Promise<FineLog> {
  return { file, fingerprint: await fingerprintOf(file), ...(limit !== undefined && { limit }) };
}

/** A fine a line, as `F0`, `F1` … */
async function generateFines(count: number): Promise<FineLog> {
  const created = Array.from(
    { length: count },
    (_, index) => `F${index},Create Fine,2020-01-01T00:00:00Z,30.0`,
  );
  const content = ['case:concept:name,concept:name,time:timestamp,amount', ...created].join('\n');
  return logOf(await temporaryFile('fines.csv', content));
}

const check = (log: FineLog) => environment.run(() => createFineActivities({ store }).checkFineLog(log));
const importLog = (log: FineLog, total = lines) =>
  environment.run(() => createFineActivities({ store }).importFineLog({ ...log, total }));
const sum = ({ fingerprint }: FineLog): Promise<Totals> =>
  environment.run(() => createFineActivities({ store }).sumFines({ tag: tagOf(fingerprint) }));

describe('the check of a log of fines', () => {
  it('counts its lines, and what of it is stored', async () => {
    const log = await logOf(file);
    await importLog(await logOf(file, 7));
    await importLog(await generateFines(3));
    expect(await check(log)).toEqual({ lines, stored: 7 });
    expect(await check({ ...log, limit: 12 })).toEqual({ lines: 12, stored: 7 });
  });

  it('gives a sign of life every thousand lines, and stops when it is cancelled', async () => {
    const log = await generateFines(2_999);
    await check(log);
    expect(beats).toHaveLength(2);
    environment.cancel();
    await expect(check(log)).rejects.toThrow(CancelledFailure);
  });

  it.each([
    ['was changed', { file, fingerprint: 'f'.repeat(64) }],
    ['no such file', { file: '/nowhere', fingerprint: 'f'.repeat(64) }],
  ])('fails for good where the file is another: %s', async (says, log) => {
    await expect(check(log)).rejects.toMatchObject({
      type: 'EventLogError',
      nonRetryable: true,
      details: [{ file: log.file }],
      message: expect.stringContaining(says) as unknown,
    });
  });

  it('fails with a line of another log', async () => {
    const log = await logOf(
      await temporaryFile(
        'log.csv',
        'case:concept:name,concept:name,time:timestamp\na,b,2020-01-01T00:00:00Z',
      ),
    );
    await expect(check(log)).rejects.toMatchObject({ details: [{ file: log.file, line: 2 }] });
  });
});

describe('the import of a log of fines', () => {
  it('stores each line once, with its officer and a commit id of its own, however often it is done', async () => {
    const log = await logOf(file);
    await importLog({ ...log, limit: 20 });
    for (let attempt = 0; attempt < 2; attempt++) await importLog(log);
    const { events } = await store.readAll();
    expect(new Set(events.map(({ commitId }) => commitId))).toEqual(
      new Set(Array.from({ length: lines }, (_, index) => `${log.fingerprint}/${index}`)),
    );
    expect((await store.readStream('Fine-T1')).events).toMatchObject([
      { type: 'FineCreated', metadata: { actor: '7' } },
      { type: 'PaymentReceived', metadata: {} },
    ]);
    expect(beats.at(-1)).toEqual({ done: lines, total: lines });
  });

  it.each([
    [500, [0, 500], [500, 1_000, 1_200]],
    [600, [0, 500, 600], [600, 1_000, 1_200]],
  ])(
    'that holds %i lines already goes on there, and says how far it has come',
    async (limit, first, then) => {
      const log = await generateFines(1_200);
      const heard = (): Set<number> => new Set(beats.map((beat) => (beat as { done: number }).done));
      await importLog({ ...log, limit }, 1_200);
      expect(heard()).toEqual(new Set(first));
      beats = [];
      await importLog(log, 1_200);
      expect(heard()).toEqual(new Set(then));
      // A beat for each fine of the windows that aren't stored whole, and one for each of the three.
      expect(beats).toHaveLength(700 + 3);
    },
  );

  it('fails after all that was under way has ended, with what failed first', async () => {
    const log = await generateFines(100);
    const append: MemoryEventStore['appendCommits'] = store.appendCommits.bind(store);
    let [begun, ended] = [0, 0];
    store.appendCommits = async (...args) => {
      const call = ++begun;
      try {
        if (call === 3) throw new Error('The disk is full');
        await new Promise((resolve) => setImmediate(resolve));
        return await append(...args);
      } finally {
        ended++;
      }
    };
    await expect(importLog(log)).rejects.toThrow('The disk is full');
    expect([begun, ended]).toEqual([16, 16]);
  });

  it('stops when it is cancelled', async () => {
    environment.cancel();
    await expect(importLog(await logOf(file))).rejects.toThrow(CancelledFailure);
    expect((await store.readAll()).events).toEqual([]);
  });
});

describe('the totals of the stored fines', () => {
  const totals: Totals = {
    2021: { fines: 1, fined: 41_00, payments: 0, paid: 0 },
    2022: { fines: 4, fined: 330_40, payments: 5, paid: 540_00 },
    2023: { fines: 2, fined: 71_40, payments: 2, paid: 71_90 },
  };

  it('are those of one log', async () => {
    const log = await logOf(file);
    await importLog(log);
    await importLog(await generateFines(3));
    expect(await sum(log)).toEqual(totals);
  });

  it('go on where the last attempt was heard of', async () => {
    const log = await generateFines(1_200);
    await importLog(log, 1_200);
    beats = [];
    const whole = { 2020: { fines: 1_200, fined: 36_000_00, payments: 0, paid: 0 } };
    expect(await sum(log)).toEqual(whole);
    expect(beats).toHaveLength(2);
    environment = new MockActivityEnvironment({ heartbeatDetails: beats[1] }, { logger: silent });
    const readAll = store.readAll.bind(store);
    const reads: unknown[] = [];
    store.readAll = (options) => {
      reads.push(options?.after);
      return readAll(options);
    };
    expect(await sum(log)).toEqual(whole);
    expect(reads).toEqual([1_000]);
  });
});

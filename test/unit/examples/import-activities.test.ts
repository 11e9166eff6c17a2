import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createImportActivities,
  type ImportProgress,
  type LogSource,
} from '../../../examples/event-log/activities.js';
import { tagOf } from '../../../examples/event-log/case-event.js';
import { expectImported, generateLog, sourceOf } from '../../examples/event-log/logs.js';
import { watchAppends } from '../../examples/event-log/watched-store.js';
import { temporaryFile } from '../../support/temporary-file.js';

/** Of activities that fail as they should. */
const silent = new DefaultLogger('ERROR');

let environment: MockActivityEnvironment;
let beats: (ImportProgress | undefined)[];

beforeEach(() => {
  environment = new MockActivityEnvironment(undefined, { logger: silent });
  beats = [];
  environment.on('heartbeat', (progress: ImportProgress | undefined) => beats.push(progress));
});

function check(store: MemoryEventStore, log: LogSource): Promise<unknown> {
  return environment.run(() => createImportActivities({ store }).checkEventLog(log));
}

function append(store: Parameters<typeof createImportActivities>[0]['store'], log: LogSource): Promise<void> {
  return environment.run(() => createImportActivities({ store }).appendEventLog({ ...log, total: 1_600 }));
}

const other = { fingerprint: 'f'.repeat(64) };

describe('the check of a log', () => {
  it('counts its events and cases, and what of it is stored', async () => {
    const store = new MemoryEventStore();
    const log = await sourceOf(await generateLog(40, 2_500));
    await store.appendToStream('Case-1', [
      { type: 'Opened', data: {}, tags: [tagOf(log.fingerprint)] },
      { type: 'Opened', data: {}, tags: [tagOf(other.fingerprint)] },
    ]);
    expect(await check(store, log)).toEqual({ events: 2_500, cases: 40, stored: 1 });
    expect(beats).toEqual([undefined, undefined]);
  });

  it.each([
    ['a file that was changed', async () => ({ ...(await sourceOf(await generateLog(1, 1))), ...other })],
    ['a file that is no log', async () => ({ file: await temporaryFile('log', ''), ...other })],
  ])('fails for good with %s', async (_what, sourceOfLog) => {
    const log = await sourceOfLog();
    const failure: unknown = await check(new MemoryEventStore(), log).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({
      type: 'EventLogError',
      nonRetryable: true,
      details: [{ file: log.file }],
    });
  });

  it('stops when it is cancelled', async () => {
    const log = await sourceOf(await generateLog(40, 1_000));
    environment.on('heartbeat', () => {
      environment.cancel();
    });
    await expect(check(new MemoryEventStore(), log)).rejects.toThrow(CancelledFailure);
  });
});

describe('the import of a log', () => {
  it('stores each line once, and says how far it has come', async () => {
    const store = watchAppends();
    const log = await sourceOf(await generateLog());
    await append(store, log);
    await expectImported(store, log.file);
    expect(store.appends()).toBe(160);
    expect([...new Set(beats.map((beat) => beat?.done))]).toEqual([0, 500, 1_000, 1_500, 1_600]);
    expect(new Set(beats.map((beat) => beat?.total))).toEqual(new Set([1_600]));
    // One for each append, one for each window, and one before.
    expect(beats).toHaveLength(160 + 4 + 1);
  });

  it.each([
    ['in the middle of a window', (call: number) => call === 110, 80],
    ['at the end of a window', (call: number) => call > 40, 120],
  ])(
    'goes on where another attempt stopped, %s, and says no less than it',
    async (_where, fails, appends) => {
      const inner = new MemoryEventStore();
      const broken = new Error('The disk is full');
      const failing = watchAppends((call) => {
        if (fails(call)) throw broken;
      }, inner);
      const log = await sourceOf(await generateLog());
      await expect(append(failing, log)).rejects.toBe(broken);
      const { total } = await inner.statistics();
      beats = [];
      const store = watchAppends(undefined, inner);
      await append(store, log);
      await expectImported(store, log.file);
      // Not those of the windows that are stored whole.
      expect(store.appends()).toBe(appends);
      const done = beats.map((beat) => beat?.done ?? Number.NaN);
      expect(done[0]).toBe(total);
      expect(done).toEqual([...done].sort((one, next) => one - next));
    },
  );

  it('fails after all that was under way has ended', async () => {
    const store = watchAppends(async (call) => {
      if (call === 3) throw new Error('The disk is full');
      await new Promise((resolve) => setImmediate(resolve));
    });
    const log = await sourceOf(await generateLog());
    await expect(append(store, log)).rejects.toThrow('The disk is full');
    expect(store.answered()).toBe(store.appends());
    expect(store.appends()).toBe(16);
  });

  it('fails when the file is not what was checked', async () => {
    const { file } = await sourceOf(await generateLog(1, 1));
    await expect(append(new MemoryEventStore() as never, { file, ...other })).rejects.toMatchObject({
      type: 'EventLogError',
      details: [{ file }],
      message: expect.stringContaining('was changed') as unknown,
    });
  });

  it('stops when it is cancelled, and so do its appends', async () => {
    const store = new MemoryEventStore();
    const log = await sourceOf(await generateLog());
    environment.on('heartbeat', () => {
      environment.cancel();
    });
    await expect(append(store as never, log)).rejects.toThrow(CancelledFailure);
    expect((await store.statistics()).total).toBe(0);
  });
});

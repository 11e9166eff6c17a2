import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { appendFine, type FineLine } from '../../../examples/fines/append-fine.js';
import type { FineCommand } from '../../../examples/fines/fine-command.js';
import { observe } from '../fixtures/observed-store.js';

const on = '2022-02-11';
const create: FineCommand = { name: 'create', payload: { on, amount: 29_40, article: null, points: 0 } };
const send: FineCommand = { name: 'send', payload: { on, expense: 12_50 } };
const pay: FineCommand = { name: 'pay', payload: { on, amount: 41_90 } };

function line(commitId: string, command: FineCommand, officer?: string): FineLine {
  return { fineId: 'A1', command, occurredAt: `${on}T00:00:00.000Z`, officer, commitId };
}

let store: MemoryEventStore;

beforeEach(() => {
  store = new MemoryEventStore();
});

async function stored(): Promise<readonly string[]> {
  return (await store.readStream('Fine-A1')).events.map(({ commitId, type }) => `${commitId} ${type}`);
}

describe('the lines of a fine', () => {
  it('are a commit each, with their time, the tag of the log and the officer', async () => {
    await appendFine(store, [line('1', create, 'Ann'), line('2', send)], 'log:a');
    const at = { occurredAt: `${on}T00:00:00.000Z`, tags: ['log:a'] };
    expect((await store.readStream('Fine-A1')).events).toMatchObject([
      { ...at, commitId: '1', type: 'FineCreated', data: create.payload, metadata: { actor: 'Ann' } },
      { ...at, commitId: '2', type: 'FineSent', data: send.payload, metadata: {} },
    ]);
  });

  it('go on where the fine stands', async () => {
    await appendFine(store, [line('1', create)], 'log:a');
    await appendFine(store, [line('2', send), line('3', pay)], 'log:a');
    expect(await stored()).toEqual(['1 FineCreated', '2 FineSent', '3 PaymentReceived']);
  });

  it.each([
    ['all of them', ['1', '2']],
    ['the first', ['1']],
    ['none', []],
  ])('are stored once, when %s are there already', async (_how, there) => {
    const lines = [line('1', create), line('2', send)];
    await appendFine(
      store,
      lines.filter(({ commitId }) => there.includes(commitId)),
      'log:a',
    );
    await appendFine(store, lines, 'log:a');
    expect(await stored()).toEqual(['1 FineCreated', '2 FineSent']);
  });

  it('are decided again when somebody was faster', async () => {
    await appendFine(store, [line('1', create)], 'log:a');
    let isFirst = true;
    const racing = Object.assign(observe(store).store, {
      appendCommits: async (...args: Parameters<typeof store.appendCommits>) => {
        if (isFirst) await appendFine(store, [line('2', pay)], 'log:a');
        isFirst = false;
        return store.appendCommits(...args);
      },
    });
    await appendFine(racing, [line('3', send)], 'log:a');
    expect(await stored()).toEqual(['1 FineCreated', '2 PaymentReceived', '3 IrregularityRecorded']);
  });

  it('are irregularities where the rules refuse them', async () => {
    await appendFine(store, [line('1', create), line('2', create)], 'log:a');
    expect((await store.readStream('Fine-A1')).events[1]).toMatchObject({
      type: 'IrregularityRecorded',
      data: { on, command: 'create', payload: create.payload, rule: 'ALREADY' },
    });
  });

  it('are one append, with a read before it only where the fine is there already', async () => {
    const { store: observed, seen } = observe(store);
    const appendCommits = vi.fn(store.appendCommits.bind(store)) as typeof store.appendCommits;
    const writing = Object.assign(observed, { appendCommits });
    await appendFine(writing, [line('1', create), line('2', send)], 'log:a');
    expect(seen.streamReads).toHaveLength(0);
    await appendFine(writing, [line('3', pay)], 'log:a');
    expect(seen.streamReads).toHaveLength(1);
    expect(appendCommits).toHaveBeenCalledTimes(2);
  });

  it('fail where it is not the rules that refuse them', async () => {
    const unknown = line('2', { name: 'tow', payload: { on } } as never);
    await expect(appendFine(store, [line('1', create), unknown], 'log:a')).rejects.toThrow(TypeError);
    expect(await stored()).toEqual([]);
  });

  it('may be none', async () => {
    await appendFine(store, [], 'log:a');
    expect((await store.readAll()).events).toEqual([]);
  });

  it('are not stored when the signal is aborted', async () => {
    const appending = appendFine(store, [line('1', create)], 'log:a', AbortSignal.abort(new Error('enough')));
    await expect(appending).rejects.toThrow('enough');
    expect(await stored()).toEqual([]);
  });
});

import { MemoryEventStore } from 'temporal-event-store/memory';
import { describeEventStore, fixedClock } from 'temporal-event-store/testing';
import { describe, expect, it } from 'vitest';

const capabilities = ['appendCommits', 'appendToStreams', 'snapshots', 'checkpoints', 'statistics'] as const;
describeEventStore('MemoryEventStore', () => new MemoryEventStore(), { capabilities, describe, it, expect });

describe('MemoryEventStore', () => {
  it('takes recordedAt from its clock', async () => {
    const store = new MemoryEventStore({ clock: fixedClock('2024-05-06T07:08:09.010Z') });
    await store.appendToStream('Account-1', [{ type: 'Opened', data: {} }]);
    const [event] = (await store.readStream('Account-1')).events;
    expect(event?.recordedAt).toBe('2024-05-06T07:08:09.010Z');
  });

  it('takes the limit of a commit as an option', async () => {
    const store = new MemoryEventStore({ maxCommitBytes: 100 });
    const append = store.appendToStream('Account-1', [{ type: 'Opened', data: 'x'.repeat(100) }]);
    await expect(append).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE', limit: 100 });
  });

  it('calls those who listen for each append, until they have heard enough', async () => {
    const store = new MemoryEventStore();
    const calls: string[] = [];
    const listen = (): void => void calls.push('shared');
    const [endFirst, endSecond] = [store.onAppend(listen), store.onAppend(listen)];
    await store.appendToStream('Account-1', [{ type: 'Opened', data: {} }], { commitId: 'c' });
    expect(calls).toHaveLength(2);
    endFirst();
    await store.appendCommits('Account-1', [{ commitId: 'd', events: [{ type: 'Opened', data: {} }] }]);
    expect(calls).toHaveLength(3);
    // Nothing new.
    await store.appendToStream('Account-1', [{ type: 'Opened', data: {} }], { commitId: 'c' });
    expect(calls).toHaveLength(3);
    endSecond();
    await store.appendToStream('Account-1', [{ type: 'Opened', data: {} }]);
    expect(calls).toHaveLength(3);
  });

  it('refuses unknown options', () => {
    expect(() => new MemoryEventStore({ maxBytes: 1 } as never)).toThrow(/maxBytes/);
  });
});

import { defineEvents, settledPosition, withEvents, type EventStore } from 'temporal-event-store';
import { createEventStoreActivities } from 'temporal-event-store/activities';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';
import { RemoteEventStore, type RemoteCalls } from '../../../src/temporal/shared/remote-store.js';

const happened = { type: 'Happened', data: {} };
const after = settledPosition(3, 'store');

/** A remote store, and the requests that it sends. */
function sending() {
  const requests: object[] = [];
  const sent = <T>(request: object): Promise<T> => {
    requests.push(request);
    return Promise.resolve({ parts: [{ streamId: 'Log-1' }] } as T);
  };
  let commits = 0;
  const calls: RemoteCalls = {
    newCommitId: () => `commit ${++commits}`,
    append: sent,
    appendToStreams: sent,
    readStream: sent,
    readAll: sent,
    findCommit: sent,
  };
  return { store: new RemoteEventStore(calls), requests };
}

describe('an append that travels', () => {
  it('has the form of an older release, unless it has a condition', async () => {
    const { store, requests } = sending();
    await store.appendToStream('Log-1', [happened]);
    const part = { streamId: 'Log-1', expectedVersion: 'any', events: [{ ...happened, schemaVersion: 1 }] };
    const result = await store.appendToStream('Log-1', [happened], { condition: { filter: {}, after } });

    expect(result).toEqual({ streamId: 'Log-1' });
    expect(requests).toMatchObject([
      { ...part, commitId: 'commit 1' },
      { appends: [part], condition: { filter: [{}], after: { ...after } }, commitId: 'commit 2' },
    ]);
    expect(JSON.parse(JSON.stringify(requests))).toEqual(requests);
  });

  it('lists its streams in the metadata of each event, if there are several', async () => {
    const { store, requests } = sending();
    const appends = ['Log-1', 'Log-2'].map((streamId) => ({ streamId, events: [happened] }));
    await store.appendToStreams(appends, { commitId: 'c', metadata: { actor: 'ann' } });
    await store.appendToStreams(appends.slice(1), { metadata: { actor: 'ann' } });

    const metadata = { actor: 'ann', commitStreams: ['Log-1', 'Log-2'] };
    expect(requests).toMatchObject([
      {
        appends: [
          { streamId: 'Log-1', events: [{ metadata }] },
          { streamId: 'Log-2', events: [{ metadata }] },
        ],
        commitId: 'c',
      },
      { appends: [{ streamId: 'Log-2', events: [{ metadata: { actor: 'ann' } }] }], commitId: 'commit 1' },
    ]);
  });

  it('that is refused is not sent', async () => {
    const { store, requests } = sending();
    const aborted = AbortSignal.abort(new Error('too late'));
    const names = Array.from({ length: 100 }, (_, index) => `${index}`.padStart(900, 'x'));
    const large = names.map((_, index) => ({ tags: names.map((name) => `${index}${name}`) }));
    await expect(store.appendToStreams([])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(
      store.appendToStreams([{ streamId: 'Log-1', events: [happened] }], { signal: aborted }),
    ).rejects.toThrow('too late');
    await expect(
      store.appendToStream('Log-1', [happened], { condition: { filter: {}, after: 3 as never } }),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(
      store.appendToStream('Log-1', [happened], { condition: { filter: large, after } }),
    ).rejects.toMatchObject({
      code: 'EVENT_TOO_LARGE',
      message: expect.stringMatching(/^The append would be \d+ bytes.* fewer filters\.$/) as unknown,
    });
    expect(requests).toEqual([]);
  });
});

describe('the activity eventStoreAppendStreams', () => {
  interface Entry {
    readonly message: string;
    readonly attributes?: Record<string, unknown> | undefined;
  }

  function activityOf(store: EventStore) {
    const log: Entry[] = [];
    const write = (message: string, attributes?: Record<string, unknown>) =>
      log.push({ message, attributes });
    const logger = { debug: write, info: write, warn: write, error: write };
    return { log, append: createEventStoreActivities({ store, logger }).eventStoreAppendStreams };
  }
  const events = [happened];
  const appends = ['Log-1', 'Log-2'].map((streamId) => ({ streamId, events, expectedVersion: 0 as const }));

  it('logs the streams, the number of their events, what was expected and the duration', async () => {
    const { append, log } = activityOf(new MemoryEventStore());
    await append({ appends, commitId: 'c' });
    await append({ appends, commitId: 'd' }).catch(() => undefined);

    const asked = ['Log-1', 'Log-2'].map((streamId) => ({ streamId, events: 1, expectedVersion: 0 }));
    expect(log).toMatchObject([
      {
        message: 'Append to streams',
        attributes: { appends: asked, commitId: 'c', versions: [1, 1], position: 2, deduplicated: false },
      },
      { message: 'Append to streams failed', attributes: { appends: asked, code: 'VERSION_CONFLICT' } },
    ]);
    for (const { attributes } of log) expect(attributes?.['durationMs']).toBeTypeOf('number');
  });

  it('names the event that the schemas of the store would change a second time', async () => {
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: (data: unknown) => ({
          value: { last: (data as { at: number }).at === 2, ...(data as object) },
        }),
      },
    };
    const memory = new MemoryEventStore();
    const { append } = activityOf(withEvents(memory, defineEvents({ Happened: { schema } })));
    const made = { ...happened, data: { at: 1, last: false } };
    const changing = [
      { streamId: 'Log-1', events: [made], expectedVersion: 'any' as const },
      { streamId: 'Log-2', events: [made, happened], expectedVersion: 'any' as const },
    ];
    await expect(append({ appends: changing, commitId: 'c', schemasApplied: true })).rejects.toMatchObject({
      details: [{ code: 'INVALID_EVENT', path: 'appends[1].events[1].data.last' }],
    });
    expect((await memory.readAll()).events).toEqual([]);
    expect(await append({ appends: changing, commitId: 'c' })).toMatchObject({
      publish: false,
      result: { parts: [{ version: 1 }, { version: 2, changedBySchema: true }] },
    });
  });
});

import type { EventStore, StoreCapabilities } from 'temporal-event-store';
import { expect } from 'vitest';

type Store = EventStore & StoreCapabilities;

const model = { name: 'model', version: 1 };
const stream = 'Session-ü';

/** Events whose texts, times, tags and numbers a session could write in another way. */
export const oddEvents = [
  { type: 'Opened', data: { 'ü\\': ['\\n', "'", '"', 0.1, 1e-7, 9007199254740991, null, '日本 🙂'] } },
  {
    type: 'Booked',
    data: {},
    tags: ['a,b', '"', '\\', 'NULL', 'null', '{}', 'ü'],
    metadata: { correlationId: 'NULL' },
  },
  { type: 'Booked', data: {}, occurredAt: '0001-02-03T04:05:06.007Z' },
  { type: 'Booked', data: {}, occurredAt: '2024-03-04T23:05:06.789Z', tags: ['x'] },
  { type: 'Closed', data: {}, occurredAt: '9999-12-31T23:59:59.999Z' },
];

/** Makes what {@link readSurface} reads. */
export async function fillSurface(store: Store): Promise<void> {
  await store.appendToStream(stream, oddEvents, { commitId: 'c' });
  await store.appendToStream('Other-1', [{ type: 'Opened', data: {} }]);
  await store.snapshots?.save(stream, model, 1, { 'ü\\': 0.1 });
  await store.checkpoints?.save('ü', { storeId: '\\', position: 1 });
}

/** All that a store answers to who changes nothing. */
export async function readSurface(store: Store): Promise<Record<string, unknown>> {
  const filters = [
    { types: ['Booked'], categories: ['Session', 'Other'] },
    { tags: ['NULL', 'a,b'] },
    { correlationId: 'NULL' },
    { occurredFrom: '2024-03-04T23:05:06.789Z', occurredTo: '2024-03-04T23:05:06.789Z' },
    { occurredTo: '0001-02-03T04:05:06.007Z' },
  ];
  const times = { occurredFrom: '2024-01-01T00:00:00Z', occurredTo: '2024-12-31T00:00:00Z' };
  return {
    stream: await store.readStream(stream),
    backward: await store.readStream(stream, { direction: 'backward', limit: 2 }),
    all: await store.readAll({ limit: 6 }),
    filtered: await Promise.all(filters.map((filter) => store.readAll({ filter }))),
    filteredBackward: await store.readAll({ filter: { types: ['Opened'] }, direction: 'backward' }),
    commit: await store.findCommit?.(stream, 'c'),
    statistics: await store.statistics?.({ filter: { types: ['Opened', 'Booked', 'Closed'] } }),
    trends: await store.trends?.({ interval: 'day', filter: times }),
    snapshot: await store.snapshots?.load(stream, model),
    checkpoint: await store.checkpoints?.load('ü'),
  };
}

/** Appends in all ways, and expects of another store that it has arrived to the letter. */
export async function expectToAppend(store: Store, reader: Store, streamId: string): Promise<void> {
  const [first, ...rest] = oddEvents as [(typeof oddEvents)[number]];
  const singles = oddEvents.map((event, index) => store.appendToStream(`${streamId}-${index}`, [event]));
  await store.appendToStream(streamId, [first], { expectedVersion: 'noStream', commitId: 'a' });
  const appended = await store.appendToStream(streamId, rest, { expectedVersion: 1, commitId: 'b' });
  await Promise.all(singles);

  expect(appended).toMatchObject({ version: oddEvents.length, deduplicated: false });
  expect(await store.appendToStream(streamId, rest, { expectedVersion: 1, commitId: 'b' })).toEqual({
    ...appended,
    deduplicated: true,
  });
  await expect(store.appendToStream(streamId, rest, { expectedVersion: 1 })).rejects.toMatchObject({
    code: 'VERSION_CONFLICT',
    actualVersion: oddEvents.length,
  });
  const { events } = await reader.readStream(streamId);
  expect(events).toMatchObject(oddEvents.map((event) => ({ tags: [], ...event })));
  for (const [index, event] of oddEvents.entries()) {
    expect((await reader.readStream(`${streamId}-${index}`)).events).toMatchObject([event]);
  }
}

import { defineProjection, type DomainEvent } from 'temporal-event-store';
import { ProjectionClient } from 'temporal-event-store/client';
import { MemoryProjectionSink } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { describe, expect, it, vi } from 'vitest';
import { usePostgresStore } from '../support/postgres-store.js';
import { connectClient, uniqueName, useWorker } from '../support/temporal.js';

const count = 200;
const names = Array.from({ length: count }, (_, number) => `projection-${number}`);

describe('many projections on one worker with its default settings', () => {
  it(
    'all apply an event within seconds, by few queries, and operators are answered',
    { timeout: 300_000 },
    async () => {
      const { store } = await usePostgresStore();
      const applied = new Map<string, number>();
      const projections = names.map((name) =>
        defineProjection<DomainEvent, object>({
          name,
          sink: new MemoryProjectionSink(() => ({})),
          handlers: { Happened: ({ version }) => void applied.set(name, version) },
        }),
      );
      const taskQueue = uniqueName('many');
      await useWorker({ taskQueue, plugins: [new EventStorePlugin({ store, projections })] });
      const operator = new ProjectionClient({ client: await connectClient(), taskQueue });
      const starting = [...names];
      const startAll = async (): Promise<void> => {
        for (let name = starting.pop(); name !== undefined; name = starting.pop()) await operator.start(name);
      };
      await Promise.all([startAll(), startAll(), startAll(), startAll()]);
      await store.appendToStream('A-1', [{ type: 'Happened', data: {} }]);
      await expect.poll(() => applied.size, { timeout: 60_000 }).toBe(count);

      // A second in which nothing happens.
      const readAll = vi.spyOn(store, 'readAll');
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(readAll.mock.calls.length).toBeLessThan(100);
      readAll.mockRestore();

      // The event is read once for many of them.
      const reads = vi.spyOn(store, 'readAll');
      const isAtSecond = (): boolean => [...applied.values()].every((version) => version === 2);
      await store.appendToStream('A-1', [{ type: 'Happened', data: {} }]);
      const asked = performance.now();
      const [state] = await Promise.all([
        operator.status('projection-7'),
        expect.poll(isAtSecond, { timeout: 10_000, interval: 10 }).toBe(true),
      ]);
      expect(state).toMatchObject({ state: 'running' });
      expect(reads.mock.calls.length).toBeLessThan(100);
      expect(await operator.pause('projection-7')).toMatchObject({ state: 'paused' });
      expect(performance.now() - asked).toBeLessThan(10_000);
    },
  );
});

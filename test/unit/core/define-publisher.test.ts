import { definePublisher, type PublisherDefinition } from 'temporal-event-store';
import { MemoryProjectionSink } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';

const publisher = { publish: async () => undefined };

describe('definePublisher', () => {
  it('makes a projection of all events, without a sink', () => {
    const made = definePublisher({ name: 'any', publisher });
    expect(made).toMatchObject({ name: 'any', version: 1, onPoison: 'stop', pageSize: 100, shards: 1 });
    expect(made.filter).toBeUndefined();
    expect(made.sink).toBeUndefined();
  });

  it('hands the events of a page to the publisher, which writes nothing into the sink', async () => {
    const pages: unknown[] = [];
    const made = definePublisher({
      name: 'any',
      publisher: { publish: async (...args) => void pages.push(args) },
    });
    const events = [{ id: '1' }, { id: '2' }] as never;
    await made.handle(events, undefined);
    expect(pages).toEqual([[events, { timeout: 60_000 }]]);
    expect(made.publishes).toBe(true);
  });

  it('fails as the publisher does', async () => {
    const failing = { publish: () => Promise.reject(new Error('away')) };
    await expect(definePublisher({ name: 'any', publisher: failing }).handle([], undefined)).rejects.toThrow(
      'away',
    );
  });

  it('gives up a publisher that never ends, and says so', async () => {
    const hanging = { publish: () => new Promise<void>(() => undefined) };
    const made = definePublisher({ name: 'any', publisher: hanging, handlerTimeout: 20 });
    await expect(made.handle([], undefined)).rejects.toThrow(
      `'publish' of 'any' was not done after 20 ms (handlerTimeout); it may still be under way.`,
    );
  });

  it('takes what a projection takes', () => {
    const sink = new MemoryProjectionSink(() => ({}));
    const given = {
      onPoison: 'park',
      sink,
      maxAttempts: 2,
      handlerTimeout: 6,
      shards: 3,
      pageSize: 4,
      pageBytes: 5,
    } as const;
    const made = definePublisher({ name: 'any', publisher, filter: { types: ['Paid'] }, ...given });
    expect(made).toMatchObject({ ...given, filter: [{ types: ['Paid'] }] });
  });

  it.each<[unknown, string]>([
    [undefined, 'name'],
    [{ publisher }, 'name'],
    [{ name: 'any' }, 'publisher'],
    [{ name: 'any', publisher: {} }, 'an EventPublisher'],
    [{ name: 'any', publisher: { publish: 1 } }, 'an EventPublisher'],
    [{ name: '', publisher }, 'name'],
    [{ name: 'any', publisher, pageSize: 0 }, 'pageSize'],
    [{ name: 'any', publisher, pageBytes: 0 }, 'pageBytes'],
    [{ name: 'any', publisher, handlerTimeout: 1.5 }, 'handlerTimeout'],
    [{ name: 'any', publisher, handlerTimeout: 2 ** 31 }, 'handlerTimeout'],
    [{ name: 'any', publisher, handlers: {} }, `no option 'handlers'`],
    [{ name: 'any', publisher, version: 2 }, `no option 'version'`],
    [{ name: 'any', publisher, onPoison: 'park' }, 'no sink'],
  ])('refuses %j', (definition, says) => {
    expect(() => definePublisher(definition as PublisherDefinition)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(says) as string }),
    );
  });
});

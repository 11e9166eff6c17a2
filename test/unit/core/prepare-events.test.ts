import fc from 'fast-check';
import { EventTooLargeError } from 'temporal-event-store';
import { describe, expect, it } from 'vitest';
import { prepareEvents } from '../../../src/core/store/append/prepare-events.js';

const event = { type: 'Happened', data: {} };

describe('the size of a commit', () => {
  // Such that they need escapes in JSON, and more than a byte in UTF-8.
  const names = fc.string({
    unit: fc.constantFrom('a', '"', '\\', 'ü', '日', '🙂'),
    minLength: 1,
    maxLength: 20,
  });
  const events = fc.record({
    type: names,
    data: fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.string({ unit: 'binary', maxLength: 300 })),
    metadata: fc.dictionary(names, fc.string({ unit: 'grapheme', maxLength: 300 }), { maxKeys: 2 }),
    tags: fc.array(names, { maxLength: 200 }),
    occurredAt: fc.constantFrom('1970-01-01T00:00:00.000Z', '2024-02-29T23:59:59.999Z'),
  });

  it('is what its events take as JSON, to the byte', () => {
    fc.assert(
      fc.property(fc.array(events, { minLength: 1, maxLength: 3 }), (commit) => {
        const size = commit.reduce((sum, { type, tags, occurredAt, data, metadata }) => {
          const json = JSON.stringify({ type, schemaVersion: 1, tags, occurredAt, data, metadata });
          return sum + Buffer.byteLength(json);
        }, 0);
        expect(prepareEvents(commit, undefined, size)).toHaveLength(commit.length);
        const append = (): unknown => prepareEvents(commit, undefined, size - 1);
        expect(append).toThrow(EventTooLargeError);
        expect(append).toThrow(expect.objectContaining({ size, limit: size - 1 }));
      }),
    );
  });
});

it('a commit of very many short tags is counted too', () => {
  const tagged = { ...event, tags: Array.from({ length: 2_000 }, () => 'a') };
  const json = JSON.stringify({
    type: 'Happened',
    schemaVersion: 1,
    tags: tagged.tags,
    data: {},
    metadata: {},
  });
  expect(() => prepareEvents([tagged], undefined, json.length - 1)).toThrow(EventTooLargeError);
});

describe('an event that is appended', () => {
  it('may have a part that is undefined', () => {
    const parts = { tags: undefined, metadata: undefined, occurredAt: undefined, note: undefined };
    expect(prepareEvents([{ ...event, ...parts } as never], undefined)).toEqual(
      prepareEvents([event], undefined),
    );
  });

  it('has no time of its own where it says none', () => {
    expect(prepareEvents([event], undefined)).toMatchObject([
      { occurredAt: undefined, schemaVersion: 1, tags: [] },
    ]);
  });

  it('has a schema version of up to 32 bits', () => {
    const largest = 2 ** 31 - 1;
    expect(prepareEvents([{ ...event, schemaVersion: largest }], undefined)).toMatchObject([
      { schemaVersion: largest },
    ]);
    expect(() => prepareEvents([{ ...event, schemaVersion: largest + 1 }], undefined)).toThrow(
      expect.objectContaining({ code: 'INVALID_EVENT', path: 'events[0].schemaVersion' }),
    );
  });

  it.each(['correlationId', 'causationId', 'actor', 'workflowId', 'runId'])(
    'has a text for %s in its metadata, or nothing',
    (key) => {
      expect(() => prepareEvents([{ ...event, metadata: { [key]: 7 } }], undefined)).toThrow(
        expect.objectContaining({ code: 'INVALID_EVENT', path: `events[0].metadata.${key}` }),
      );
      const metadata = { [key]: undefined };
      expect(prepareEvents([{ ...event, metadata }], undefined)).toMatchObject([{ metadata: '{}' }]);
    },
  );

  it.each(['', 'a\n', 'x'.repeat(1_001)])(
    'has a correlation id that stores can index, not %j',
    (correlationId) => {
      expect(() => prepareEvents([{ ...event, metadata: { correlationId } }], undefined)).toThrow(
        expect.objectContaining({ code: 'INVALID_EVENT', path: 'events[0].metadata.correlationId' }),
      );
    },
  );
});

it('metadata that a commit shares is JSON too', () => {
  expect(() => prepareEvents([event], { retries: Number.NaN })).toThrow(
    expect.objectContaining({ code: 'INVALID_EVENT', path: 'metadata.retries' }),
  );
});

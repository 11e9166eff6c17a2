import { defineEvents, withEvents, type StreamAppend } from 'temporal-event-store';
import type { MemoryEventStore } from 'temporal-event-store/memory';
import { expect, it } from 'vitest';
import { conformanceCases } from '../testing/conformance-cases.js';
import type { Change } from '../testing/sloppy-stores/sloppy-store.js';

/** Each append is checked by a registry that lists its events: the cases have types of their own. */
const withTheirEvents: Change = (store) => {
  const knowing = (events: unknown): MemoryEventStore => {
    const types = Array.isArray(events)
      ? events.map((event) => (event as { type?: unknown } | null)?.type)
      : [];
    const definitions = types.filter((type) => typeof type === 'string').map((type) => [type, {}] as const);
    return withEvents(store, defineEvents(Object.fromEntries(definitions))) as unknown as MemoryEventStore;
  };
  const eventsIn = (appends: unknown): unknown =>
    Array.isArray(appends) ? appends.flatMap((part) => (part as StreamAppend | null)?.events ?? []) : [];
  return {
    appendToStream: (streamId, events, options) => knowing(events).appendToStream(streamId, events, options),
    appendToStreams: (appends, options) => knowing(eventsIn(appends)).appendToStreams(appends, options),
    readStream: (streamId, options) => knowing([]).readStream(streamId, options),
    readAll: (options) => knowing([]).readAll(options),
  };
};

const groups = /^(append to streams|append conditions|settled positions)/;
/** They have schema versions that no registry lists, or change what they have given while schemas look at it. */
const others = /as it was given|changes its objects later/;
const cases = conformanceCases(withTheirEvents, expect).filter(
  ({ name }) => groups.test(name) && !others.test(name),
);

it.each(cases)('a store with events: $name', ({ run }) => run());

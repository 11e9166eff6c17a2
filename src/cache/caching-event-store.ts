import { LRUCache } from 'lru-cache';
import type { DomainEvent, RecordedEvent } from '../core/events/event.js';
import { assertOptions, integerFrom } from '../core/options/options.js';
import { decorateStore, type DecoratedStore } from '../core/store/decorated-store.js';
import type { EventStore, ReadStreamOptions, StreamSlice } from '../core/store/event-store.js';
import { countThatFits } from '../core/store/read/page-bytes.js';
import { checkStreamRead } from '../core/store/read/read-options.js';
import { bytesPerCharacter, utf8Length } from '../core/values/json.js';

export interface CachingEventStoreOptions {
  /** Most streams to keep; the least recently read are dropped first. Default 1,000. */
  readonly max?: number;
  /** Milliseconds to keep a stream after it was last read in full from the store. Default: no limit. */
  readonly ttl?: number;
  /**
   * Most bytes to keep, over all streams, counted as two for each character of the events' JSON. Default 64,000,000.
   */
  readonly maxBytes?: number;
}

/** A stream from version 1 on. Kept as JSON, so that a reader can't change what the next one gets. */
interface CachedStream {
  readonly events: readonly CachedEvent[];
  /** Bytes in memory. */
  readonly size: number;
}

interface CachedEvent {
  readonly json: string;
  /** Bytes of the whole event, a little more than a page counts. */
  readonly bytes: number;
}

function toCached(json: string): CachedEvent {
  return { json, bytes: utf8Length(json) };
}

/**
 * Wraps a store so that it keeps the events of the streams it has read, and reads only what was appended since. It is
 * never stale: each read asks the store for the last kept event and those after it, which usually is one event.
 *
 * Only forward reads of a stream become faster. Everything else goes straight to the store, which keeps all its
 * methods. A store on a transaction (`inTransaction`) is not cached: what it reads may be rolled back.
 *
 * @throws InvalidArgumentError for an unknown option
 * @example
 * const store = cachingEventStore(postgres, { max: 10_000, ttl: 300_000 });
 */
export function cachingEventStore<S extends EventStore>(
  store: S,
  options: CachingEventStoreOptions = {},
): DecoratedStore<S> {
  assertOptions('cachingEventStore', options, {
    max: integerFrom(1),
    ttl: integerFrom(1),
    maxBytes: integerFrom(1),
  });
  const { max = 1000, ttl, maxBytes: maxSize = 64_000_000 } = options;
  const streams = new LRUCache<string, CachedStream>({
    max,
    maxSize,
    sizeCalculation: (stream) => Math.max(1, stream.size),
    ...(ttl !== undefined && { ttl }),
  });

  return decorateStore(store, {
    async readStream<E extends DomainEvent>(
      streamId: string,
      readOptions: ReadStreamOptions = {},
    ): Promise<StreamSlice<E>> {
      const {
        fromVersion = 1,
        toVersion,
        limit,
        maxBytes,
        direction,
      } = checkStreamRead(streamId, readOptions);
      const cached = streams.get(streamId);
      const known = cached?.events.length ?? 0;
      // A read that would leave a hole between the kept events and its own is not ours.
      if (direction === 'backward' || fromVersion > known + 1) {
        return store.readStream<E>(streamId, readOptions);
      }

      // The last kept event is read again: if the store was restored to a backup, another may stand there now.
      const { signal } = readOptions;
      const tail = await store.readStream<E>(streamId, {
        fromVersion: Math.max(known, 1),
        limit: known > 0 ? limit + 1 : limit,
        maxBytes,
        ...(signal !== undefined && { signal }),
      });
      const read = tail.events.map((event) => JSON.stringify(event));
      const isUnchanged = known === 0 || read[0] === cached?.events[known - 1]?.json;
      if (!isUnchanged) streams.delete(streamId);
      // A page can be as short as one event.
      const isTooShort = known > 0 && read.length === 1 && !tail.isEnd;
      if (!isUnchanged || isTooShort) return store.readStream<E>(streamId, readOptions);

      const added = read.slice(known > 0 ? 1 : 0).map(toCached);
      if (added.length > 0) keep(streamId, cached, added);

      const last = Math.min(toVersion ?? tail.version, tail.version);
      const end = Math.min(last, fromVersion - 1 + limit);
      const kept = (cached?.events ?? []).slice(fromVersion - 1, end);
      const fresh = added.slice(Math.max(fromVersion - 1 - known, 0), Math.max(end - known, 0));
      const wanted = [...kept, ...fresh];
      const fitting = wanted.slice(
        0,
        countThatFits(wanted, maxBytes, ({ bytes }) => bytes),
      );
      const newest = tail.events.filter((event) => event.version > known && event.version >= fromVersion);
      const events = fitting.map(({ json }, index) =>
        index < kept.length
          ? (JSON.parse(json) as RecordedEvent<E>)
          : (newest[index - kept.length] as RecordedEvent<E>),
      );
      return { streamId, version: tail.version, events, isEnd: fromVersion - 1 + events.length >= last };
    },
  });

  function keep(streamId: string, before: CachedStream | undefined, added: readonly CachedEvent[]): void {
    // Another read may have kept them meanwhile; what is longer is newer.
    const events = [...(before?.events ?? []), ...added];
    if ((streams.peek(streamId)?.events.length ?? 0) >= events.length) return;
    const size = added.reduce((sum, { json }) => sum + json.length * bytesPerCharacter, before?.size ?? 0);
    const remaining = before === undefined ? undefined : streams.getRemainingTTL(streamId);
    // It went while its tail was read. (A ttl of 0 would keep it for ever.)
    if (ttl !== undefined && remaining !== undefined && remaining <= 0) return;
    streams.set(
      streamId,
      { events, size },
      remaining === undefined || ttl === undefined ? {} : { ttl: remaining },
    );
  }
}

import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import { PositionAheadOfStoreError } from '../../../core/errors/store-errors.js';
import type { RecordedEvent } from '../../../core/events/event.js';
import {
  HandlerError,
  OwnershipLostError,
  type EventFailure,
} from '../../../core/projections/projection-sink.js';
import type { AnyProjection } from '../../../core/projections/projection.js';
import { shardOf } from '../../../core/projections/shard-of.js';
import type { ReaderHints } from '../../../core/store/capabilities.js';
import type { AllSlice, EventStore } from '../../../core/store/event-store.js';
import {
  assertStillThere,
  lostEvent,
  type SeenEvent,
  type Witness,
} from '../../../core/store/read/seen-event.js';
import { storedReadsOf } from '../../../core/store/read/stored-reads.js';
import { WakeUp } from '../../../core/store/read/wake-up.js';
import { pauseAfter, type Backoff } from '../../../core/values/backoff.js';
import type { SearchTrace } from '../../shared/search-trace.js';
import { wait } from '../../shared/wait.js';
import { unknownHereFailure } from '../unknown-here.js';
import { EndWatch } from './end-watch.js';
import { NewerEventError, ShardPages, type ProjectedShard } from './shard-pages.js';
import { SharedReads, type SharedPage } from './shared-reads.js';
import { untilPrimary } from './until-primary.js';

export interface ShardRun extends Omit<ProjectedShard, 'decode' | 'isBrief'> {
  readonly store: EventStore & ReaderHints;
  /** How many shards the build has. */
  readonly shards: number;
  /** Ends when this position, or the end of the store, is reached. */
  readonly until?: number | 'end' | undefined;
  /** Most events a second. */
  readonly maxRate?: number | undefined;
  /** Milliseconds after which it ends, to go on in another. */
  readonly duration: number;
  /**
   * `busy`: until it has had no event of its own for `idleAfter` milliseconds. `idle`: until it has had some for `busyAfter` milliseconds, or
   * more than a page, or one that fails: signs of life may be rare then. Default: busy for ever.
   */
  readonly pace?:
    | { readonly kind: 'busy'; readonly idleAfter: number }
    | { readonly kind: 'idle'; readonly busyAfter: number };
  /** Milliseconds before another worker is asked to apply what this one is too old for. Default 1,000. */
  readonly retryDelay?: number;
  /** Called with the position after each page. */
  readonly onProgress: (position: number) => void;
  /** Called when a handler wants to be called later, with what it said, and the milliseconds until then. */
  readonly onDelay: (position: number, reason: string, delay: number) => void;
}

export type ShardOutcome =
  /** The time is over; there is more to come. How it goes on, where that is another pace than before. */
  | { readonly kind: 'paused'; readonly pace: 'busy' | 'idle' }
  /** `until` is reached. */
  | { readonly kind: 'reached' }
  /** Another owner has taken over, or nobody shall write. */
  | { readonly kind: 'fenced' }
  /** The definition says another number of shards than the build has. */
  | { readonly kind: 'outdated' }
  /** An event can't be applied, and the projection stops at such. */
  | { readonly kind: 'blocked'; readonly failure: EventFailure; readonly storeId: string };

/**
 * Milliseconds between two looks at a store of which nobody says that it has something new, give or take a quarter. It then has, or can't
 * be read.
 */
const rareLook = 60_000;
/** Milliseconds without an event of its own after which an idle shard takes the next for one that comes alone. */
const aloneAfter = 10_000;
/** Least milliseconds between two looks of an idle shard that finds none of its own: each costs a read, and a transaction where events of others have come. */
const passInterval = 1_000;

/** Milliseconds before a handler that made no progress is called again, whatever it says. */
const shortestPause = 20;
/** Before a page is tried again when no event is to blame. */
const backoff: Backoff = { first: 200, longest: 30_000, jitter: { part: 0.5, random: Math.random } };

/**
 * Takes a shard of a projection over and applies events to it, page by page. The next page is read while one is written.
 *
 * @throws whatever the store or the sink throw, for another attempt
 */
export async function projectShard(run: ShardRun): Promise<ShardOutcome> {
  const wakeUp = new WakeUp();
  const watch = EndWatch.of(run.store);
  const stopUsing = watch.use();
  // An idle one has time, and need not look each time somebody appends something.
  const isIdle = run.pace?.kind === 'idle';
  const stopWatching = isIdle ? undefined : run.store.onAppend?.call(run.store, wakeUp.wake);
  run.signal.addEventListener('abort', wakeUp.wake);
  try {
    return await project(run, wakeUp, watch);
  } catch (error) {
    const reason: unknown = run.signal.aborted ? run.signal.reason : error;
    if (reason instanceof OwnershipLostError || error instanceof OwnershipLostError) {
      return { kind: 'fenced' };
    }
    if (error instanceof NewerEventError) {
      const { id, position } = error.event;
      throw leftToOthers(`the event ${id} at position ${position}`, error.cause as Error, run);
    }
    if (error instanceof HandlerError) throw error.cause;
    throw retriedLater(error, run);
  } finally {
    stopWatching?.();
    stopUsing();
    run.signal.removeEventListener('abort', wakeUp.wake);
  }
}

/** What another attempt, perhaps of another worker, may find resolved. */
function retriedLater(error: unknown, run: ShardRun): unknown {
  // A store that decodes in a way of its own fails the whole page.
  const newer = findEventStoreError(error, 'EVENT_TOO_NEW');
  return newer === undefined ? untilPrimary(error) : leftToOthers('the definition of an event', newer, run);
}

/** To a worker of the release that has appended it. */
function leftToOthers(what: string, { message: advice }: Error, { retryDelay = 1_000 }: ShardRun): unknown {
  // Each takes the shard over.
  const trace: SearchTrace = { unknown: { what, advice, triesAtOnce: 3 } };
  return unknownHereFailure(advice, { nextRetryDelay: retryDelay }, [trace]);
}

const witness: Witness = { which: 'the projection has seen', advice: 'which tells all readers' };

/** A page on its way. */
interface Reading {
  /** The last event that the watch had seen when it was asked for. */
  readonly known: SeenEvent | undefined;
  readonly page: Promise<SharedPage>;
}

async function project(run: ShardRun, wakeUp: WakeUp, watch: EndWatch): Promise<ShardOutcome> {
  const { store, projection, shard, shards, until, signal, pace } = run;
  const stored = storedReadsOf(store);
  const reads = SharedReads.of(store);
  const isIdle = pace?.kind === 'idle';
  const idleAfter = pace?.kind === 'busy' ? pace.idleAfter : Infinity;
  const busyAfter = pace?.kind === 'idle' ? pace.busyAfter : Infinity;
  const startedAt = performance.now();
  const end = startedAt + run.duration;
  const { filter, pageSize: limit, pageBytes: maxBytes } = projection;
  const pages = await ShardPages.acquire({ ...run, decode: stored.decode, isBrief: isIdle });
  let losses = watch.losses.length;
  await assertStillThere(stored, pages.lastSeen, pages.storeId, witness);
  let lastOwnAt = startedAt;
  /** From when on events of its own have come without a longer pause. */
  let ownSince = Infinity;
  let delays = 0;
  let next: Reading | undefined;
  const read = (after: number): Reading => {
    // What comes after this wakes: this look may miss it, however late its page is used.
    wakeUp.reset();
    signal.throwIfAborted();
    const known = watch.last;
    const options = { after, limit, maxBytes, signal };
    const page = reads.read({ ...(filter !== undefined && { filter }), ...options });
    // It may be given up before it is awaited.
    page.catch(() => undefined);
    return { known, page };
  };
  for (;;) {
    signal.throwIfAborted();
    if (typeof until === 'number' && pages.position >= until) return { kind: 'reached' };
    if (performance.now() >= end) return { kind: 'paused', pace: isIdle ? 'idle' : 'busy' };
    for (; losses < watch.losses.length; losses++) {
      const lost = watch.losses[losses] as SeenEvent;
      // The checkpoint is at it or behind it, or has an event of its own to look for.
      if (lost.position <= pages.position) throw lostEvent(lost, await stored.readAll({ limit: 1 }), witness);
      await assertStillThere(stored, pages.lastSeen, pages.storeId, witness);
    }
    const { known, page } = next ?? read(pages.position);
    const { slice, isShared } = await page;
    assertSameStore(slice, pages, projection);
    next = slice.isEnd ? undefined : read(slice.position);
    const readAt = performance.now();
    const events: readonly RecordedEvent[] = slice.events;
    pages.saw(events.at(-1));
    // Other shards' events count too.
    if (known !== undefined && known.position <= slice.position) pages.saw(known);
    const ofShard =
      shards === 1 ? events : events.filter((event) => shardOf(event.streamId, shards) === shard.shard);
    // A handler may do with an event what it likes.
    const own = isShared ? ofShard.map((event) => structuredClone(event)) : ofShard;
    if (own.length > 0) {
      if (ownSince === Infinity || readAt - lastOwnAt > aloneAfter) ownSince = readAt;
      lastOwnAt = readAt;
    }
    const position = pages.position;
    let failure: EventFailure | undefined;
    try {
      failure = await pages.write(own, slice);
    } catch (error) {
      if (!(error instanceof HandlerError)) throw error;
      if (isIdle) return { kind: 'paused', pace: 'busy' };
      if (error instanceof NewerEventError) throw error;
      delays = pages.position > position ? 0 : delays + 1;
      const delay = delayOf(error, delays);
      run.onDelay(pages.position, error.message, delay);
      next = undefined;
      await wait(Math.min(delay, end - performance.now()), signal);
      continue;
    }
    delays = 0;
    if (failure !== undefined) return { kind: 'blocked', failure, storeId: slice.storeId };
    run.onProgress(pages.position);
    if (own.length > 0 && (readAt - ownSince >= busyAfter || (isIdle && !slice.isEnd))) {
      return { kind: 'paused', pace: 'busy' };
    }
    if (run.maxRate !== undefined) {
      await wait((own.length / run.maxRate) * 1_000 - (performance.now() - readAt), signal);
    }
    if (!slice.isEnd || (typeof until === 'number' && pages.position >= until)) continue;
    if (until === 'end') return { kind: 'reached' };
    const now = performance.now();
    if (now - lastOwnAt >= idleAfter) return { kind: 'paused', pace: 'idle' };
    const look = rareLook * (0.75 + Math.random() / 2);
    const stopWaiting = watch.wait(Math.max(pages.position, known?.position ?? 0), wakeUp.wake);
    await wakeUp.wait(Math.max(Math.min(look, end - now, lastOwnAt + idleAfter - now), 0));
    stopWaiting();
    if (isIdle && own.length === 0) await wait(passInterval - (performance.now() - readAt), signal);
  }
}

/** Milliseconds. @param delays how often in a row, without progress */
function delayOf(error: HandlerError, delays: number): number {
  const { retryAfter } = findEventStoreError(error, 'RETRY_LATER') ?? {};
  // Without progress it comes to rest in any case.
  if (retryAfter !== undefined) return Math.max(retryAfter, delays === 0 ? 0 : shortestPause);
  return pauseAfter(delays + 1, backoff);
}

function assertSameStore(
  { storeId, position }: AllSlice<never>,
  pages: ShardPages,
  { name, sink, reset }: AnyProjection,
): void {
  if (pages.storeId === undefined || pages.storeId === storeId) return;
  const what =
    sink === undefined && reset === undefined
      ? `Say from where it goes on: rebase('${name}', { from, operator, reason }). ` +
        `Where the checkpoints are kept in this store, resume('${name}') goes on from them.`
      : 'Rebuild the projection.';
  throw new PositionAheadOfStoreError(
    `The projection has come to position ${pages.position} of the store ${pages.storeId}, but this is the store ${storeId}. ${what}`,
    { position: pages.position, storeId, lastPosition: position },
  );
}

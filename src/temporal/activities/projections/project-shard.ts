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
import { wait } from '../../../core/values/wait.js';
import type { SearchTrace } from '../../shared/search-trace.js';
import { unknownHereFailure } from '../unknown-here.js';
import { EndWatch } from './end-watch.js';
import { NewerEventError, ShardPages, type ProjectedShard } from './shard-pages.js';
import { SharedReads, type SharedPage } from './shared-reads.js';
import { untilPrimary } from './until-primary.js';

export interface ShardRun extends Omit<ProjectedShard, 'decode' | 'isBrief'> {
  readonly store: EventStore & ReaderHints;
  /** How many shards the build has. */
  readonly shards: number;
  /** The run ends at this position, or at the end of the store. */
  readonly until?: number | 'end' | undefined;
  /** Most events a second. */
  readonly maxRate?: number | undefined;
  /** Milliseconds after which the run ends, to be continued by another. */
  readonly duration: number;
  /**
   * `busy`: until the shard has had no event of its own for `idleAfter` milliseconds. `idle`, with rare heartbeats:
   * until it has had some for `busyAfter` milliseconds, more than a page of them, or one that fails. Default: busy
   * for ever.
   */
  readonly pace?:
    | { readonly kind: 'busy'; readonly idleAfter: number }
    | { readonly kind: 'idle'; readonly busyAfter: number };
  /** Milliseconds before another worker is asked to apply an event that this one is too old for. Default 1,000. */
  readonly retryDelay?: number;
  /** Called with the position after each page. */
  readonly onProgress: (position: number) => void;
  /** Called when a handler asks to be called later, with its reason and the milliseconds until then. */
  readonly onDelay: (position: number, reason: string, delay: number) => void;
}

export type ShardOutcome =
  /** The shard goes on in another run, at this pace: the time is over, or the pace has changed. */
  | { readonly kind: 'paused'; readonly pace: 'busy' | 'idle' }
  /** `until` is reached. */
  | { readonly kind: 'reached' }
  /** Another owner has taken over, or all were fenced. */
  | { readonly kind: 'fenced' }
  /** The build and the definition differ in the number of shards. */
  | { readonly kind: 'outdated' }
  /** An event can't be applied, and the projection is one that stops at it. */
  | { readonly kind: 'blocked'; readonly failure: EventFailure; readonly storeId: string };

/**
 * Milliseconds, give or take a quarter, between two looks without any hint of new events: a hint may be lost, or the
 * store can't be read.
 */
const rareLook = 60_000;
/** Milliseconds without an event of its own after which an idle shard assumes that the next comes alone. */
const aloneAfter = 10_000;
/**
 * Least milliseconds between two looks of an idle shard that finds no event of its own: each costs a read, and a
 * transaction if other shards' events have come.
 */
const passInterval = 1_000;

/** Least milliseconds before a handler that made no progress is called again, whatever it asks for. */
const shortestPause = 20;
/** Pauses before a page is retried when no event is to blame. */
const backoff: Backoff = { first: 200, longest: 30_000, jitter: { part: 0.5, random: Math.random } };

/**
 * Takes a shard of a projection over and applies events to it, page by page. The next page is read while one is written.
 *
 * @throws any error of the store or the sink, for another attempt
 */
export async function projectShard(run: ShardRun): Promise<ShardOutcome> {
  const wakeUp = new WakeUp();
  const watch = EndWatch.of(run.store);
  const stopUsing = watch.use();
  // An idle shard has time, and need not look at each append.
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

/** Prepares an error for another attempt, perhaps on another worker, which may find it resolved. */
function retriedLater(error: unknown, run: ShardRun): unknown {
  // A store with its own decoding fails the whole page.
  const newer = findEventStoreError(error, 'EVENT_TOO_NEW');
  return newer === undefined ? untilPrimary(error) : leftToOthers('the definition of an event', newer, run);
}

/** Leaves an event to a worker of the release that appended it. */
function leftToOthers(what: string, { message: advice }: Error, { retryDelay = 1_000 }: ShardRun): unknown {
  // Few tries at once, since each takes the shard over.
  const trace: SearchTrace = { unknown: { what, advice, triesAtOnce: 3 } };
  return unknownHereFailure(advice, { nextRetryDelay: retryDelay }, [trace]);
}

const witness: Witness = { which: 'the projection has seen', advice: 'which tells all readers' };

/** A page that is being read. */
interface Reading {
  /** The last event that the watch had seen when the read began. */
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
  /** Since when events of its own have come without a longer pause. */
  let ownSince = Infinity;
  let delays = 0;
  let next: Reading | undefined;
  const read = (after: number): Reading => {
    // Later hints wake again: this look may miss their events, however late its page is used.
    wakeUp.reset();
    signal.throwIfAborted();
    const known = watch.last;
    const options = { after, limit, maxBytes, signal };
    const page = reads.read({ ...(filter !== undefined && { filter }), ...options });
    // The read may be given up before it is awaited.
    page.catch(() => undefined);
    return { known, page };
  };
  for (;;) {
    signal.throwIfAborted();
    if (typeof until === 'number' && pages.position >= until) return { kind: 'reached' };
    if (performance.now() >= end) return { kind: 'paused', pace: isIdle ? 'idle' : 'busy' };
    for (; losses < watch.losses.length; losses++) {
      const lost = watch.losses[losses] as SeenEvent;
      // Fails at once if the checkpoint has passed the lost event; if not, the checkpoint's own last event is checked.
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
    // Other shards' events count, too.
    if (known !== undefined && known.position <= slice.position) pages.saw(known);
    const ofShard =
      shards === 1 ? events : events.filter((event) => shardOf(event.streamId, shards) === shard.shard);
    // A handler may change its events.
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

/** Milliseconds before the next call. @param delays delays in a row without progress */
function delayOf(error: HandlerError, delays: number): number {
  const { retryAfter } = findEventStoreError(error, 'RETRY_LATER') ?? {};
  // Without progress, it pauses in any case.
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
        `If the checkpoints are kept in this store, resume('${name}') goes on from them.`
      : 'Rebuild the projection.';
  throw new PositionAheadOfStoreError(
    `The projection has come to position ${pages.position} of the store ${pages.storeId}, but this is the store ${storeId}. ${what}`,
    { position: pages.position, storeId, lastPosition: position },
  );
}

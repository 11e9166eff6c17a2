import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import { PositionAheadOfStoreError, StoreUnavailableError } from '../../../core/errors/errors.js';
import type { RecordedEvent } from '../../../core/events/event.js';
import {
  HandlerError,
  OwnershipLostError,
  type EventFailure,
} from '../../../core/projections/projection-sink.js';
import type { AnyProjection } from '../../../core/projections/projection.js';
import { shareOf } from '../../../core/projections/share-of.js';
import type { ReaderHints } from '../../../core/store/capabilities.js';
import type { AllSlice, EventStore } from '../../../core/store/event-store.js';
import { storedReadsOf } from '../../../core/store/stored-reads.js';
import { WakeUp } from '../../../core/store/wake-up.js';
import { wait } from '../../shared/wait.js';
import { unknownHereFailure } from '../unknown-here.js';
import { NewerEventError, SharePages, type ProjectedShare } from './share-pages.js';

export interface ShareRun extends Omit<ProjectedShare, 'decode'> {
  readonly store: EventStore & ReaderHints;
  /** Of the build. */
  readonly shares: number;
  /** Ends when this position, or the end of the store, is reached. */
  readonly until?: number | 'end' | undefined;
  /** Most events a second. */
  readonly maxRate?: number | undefined;
  /** Milliseconds after which it ends, to go on in another. */
  readonly duration: number;
  /** Called with the position after each page. */
  readonly onProgress: (position: number) => void;
  /** Called when a handler wants to be called later, with what it said, and the milliseconds until then. */
  readonly onDelay: (position: number, reason: string, delay: number) => void;
}

export type ShareOutcome =
  /** The time is over; there is more to come. */
  | { readonly kind: 'paused' }
  /** `until` is reached. */
  | { readonly kind: 'reached' }
  /** Another owner has taken over, or nobody shall write. */
  | { readonly kind: 'fenced' }
  /** The definition says another number of shards than the build has. */
  | { readonly kind: 'outdated' }
  /** An event can't be applied, and the projection stops at such. */
  | { readonly kind: 'blocked'; readonly failure: EventFailure; readonly storeId: string };

/** Milliseconds between two looks at a store that has nothing new: they grow from the first to the second. */
const shortestPause = 20;
const longestPause = 1_000;

/** Milliseconds before a page is tried again when no event is to blame, which grow from the first to the second. */
const firstDelay = 200;
const longestDelay = 30_000;

/**
 * Takes a share of a projection over and applies events to it, page by page. The next page is read while one is written.
 *
 * @throws whatever the store or the sink throw, for another attempt
 */
export async function projectShare(run: ShareRun): Promise<ShareOutcome> {
  const wakeUp = new WakeUp();
  const stopWatching = run.store.onAppend?.call(run.store, wakeUp.wake);
  run.signal.addEventListener('abort', wakeUp.wake);
  try {
    return await project(run, wakeUp);
  } catch (error) {
    if (error instanceof OwnershipLostError) return { kind: 'fenced' };
    if (error instanceof NewerEventError) throw leftToOthers(error);
    if (error instanceof HandlerError) throw error.cause;
    throw retriedLater(error);
  } finally {
    stopWatching?.();
    run.signal.removeEventListener('abort', wakeUp.wake);
  }
}

/** What another attempt, perhaps of another worker, may find resolved. */
function retriedLater(error: unknown): unknown {
  // Of a store that decodes in a way of its own, so that the whole page failed.
  const newer = findEventStoreError(error, 'EVENT_TOO_NEW');
  if (newer !== undefined) return unknownHereFailure(newer.message, { nextRetryDelay: '1 second' });
  const unsafe = findEventStoreError(error, 'READ_NOT_SAFE');
  return unsafe === undefined ? error : new StoreUnavailableError(unsafe.message, { cause: error });
}

/** To a worker of the release that has appended the event. */
function leftToOthers({ event: { id, position }, cause }: NewerEventError): unknown {
  return unknownHereFailure(`The event ${id} at position ${position} waits: ${(cause as Error).message}`, {
    nextRetryDelay: '1 second',
  });
}

async function project(run: ShareRun, wakeUp: WakeUp): Promise<ShareOutcome> {
  const { store, projection, share, shares, until, signal } = run;
  const stored = storedReadsOf(store);
  const end = performance.now() + run.duration;
  const { filter, pageSize: limit, pageBytes: maxBytes } = projection;
  const pages = await SharePages.acquire({ ...run, decode: stored.decode });
  let idlePause = shortestPause;
  let delays = 0;
  let next: Promise<AllSlice<never>> | undefined;
  const read = (after: number): Promise<AllSlice<never>> => {
    const page = { after, limit, maxBytes, signal };
    const reading = stored.readAll<never>({ ...(filter !== undefined && { filter }), ...page });
    // It may be given up before it is awaited.
    reading.catch(() => undefined);
    return reading;
  };
  for (;;) {
    signal.throwIfAborted();
    if (typeof until === 'number' && pages.position >= until) return { kind: 'reached' };
    if (performance.now() >= end) return { kind: 'paused' };
    // What comes after this wakes: this look may miss it.
    wakeUp.reset();
    const slice = await (next ?? read(pages.position));
    assertSameStore(slice, pages, projection);
    next = slice.isEnd ? undefined : read(slice.position);
    const startedAt = performance.now();
    const events: readonly RecordedEvent[] = slice.events;
    const own =
      shares === 1 ? events : events.filter((event) => shareOf(event.streamId, shares) === share.share);
    const position = pages.position;
    let failure: EventFailure | undefined;
    try {
      failure = await pages.write(own, slice);
    } catch (error) {
      if (!(error instanceof HandlerError) || error instanceof NewerEventError) throw error;
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
    if (run.maxRate !== undefined) {
      await wait((own.length / run.maxRate) * 1_000 - (performance.now() - startedAt), signal);
    }
    if (!slice.isEnd) continue;
    if (until === 'end') return { kind: 'reached' };
    idlePause = own.length > 0 ? shortestPause : Math.min(idlePause * 2, longestPause);
    await wakeUp.wait(Math.min(idlePause, end - performance.now()));
  }
}

/** Milliseconds. @param delays how often in a row, without progress */
function delayOf(error: HandlerError, delays: number): number {
  const { retryAfter } = findEventStoreError(error, 'TRY_AGAIN_LATER') ?? {};
  // Without progress it comes to rest in any case.
  if (retryAfter !== undefined) return Math.max(retryAfter, delays === 0 ? 0 : shortestPause);
  return Math.min(firstDelay * 2 ** delays, longestDelay) * (0.5 + Math.random() / 2);
}

function assertSameStore(
  { storeId, position }: AllSlice<never>,
  pages: SharePages,
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

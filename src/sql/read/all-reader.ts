import { UnsafeReadError } from '../../core/errors/store-errors.js';
import type { DomainEvent, RecordedEvent } from '../../core/events/event.js';
import type { AllSlice } from '../../core/store/event-store.js';
import { aheadOfStore, type AllRead } from '../../core/store/read/read-options.js';
import { withSettled } from '../../core/store/read/settled-position.js';
import { asRetryable } from '../sql-errors.js';
import type { SqlPort } from '../sql-port.js';
import { readPage, type EventRows } from './event-row.js';
import { PageStatements, type PageQueryWithin } from './page-statements.js';
import { SettledPositions } from './settled-positions.js';

export interface AllReaderOptions {
  /** Most milliseconds that a read waits for an append that is under way. */
  readonly settleTimeout: number;
  /** Called before the first read of a store on a server; rejects if reading in order isn't safe there. */
  readonly probe?: () => Promise<void>;
}

/** A page read at one moment. */
interface Page<E extends DomainEvent> {
  readonly storeId: string;
  /** The highest visible position. */
  readonly last: number;
  readonly events: readonly RecordedEvent<E>[];
  /** Whether the page ends before an event that is too large for it. */
  readonly isCut: boolean;
}

/**
 * Reads in the order of positions, without losing events that commit late: transactions don't commit in that order. See
 * docs/decisions/0006.
 */
export class AllReader {
  readonly #port: SqlPort;
  readonly #options: AllReaderOptions;
  readonly #statements = new PageStatements();
  readonly #settled = new SettledPositions();
  #isProbed = false;
  /** Bytes of the largest event read recently: events of similar size come together. */
  #largest = 0;

  constructor(port: SqlPort, options: AllReaderOptions) {
    this.#port = port;
    this.#options = options;
  }

  async read<E extends DomainEvent>(read: AllRead, signal?: AbortSignal): Promise<AllSlice<E>> {
    if (read.direction === 'backward') return this.#readBackward(read);
    return read.filters === undefined ? this.#readEverything(read, signal) : this.#readFiltered(read, signal);
  }

  /** Events whose positions have no gap need no second look. */
  async #readEverything<E extends DomainEvent>(
    read: AllRead,
    signal: AbortSignal | undefined,
  ): Promise<AllSlice<E>> {
    const { after = 0 } = read;
    for (;;) {
      const known = this.#settled.known;
      const page = await this.#fetch<E>(read, this.#statements.everything(read));
      assertNotAhead(after, page);
      const positions = page.events.map((event) => event.position);
      const end = this.#settled.extend(after, positions, known);
      const last = positions.at(-1) ?? after;
      if (end === last) return this.#withSettled(toSlice(page, page.events, last, last >= page.last));

      const unsettled = await this.#settled.findUnsettled(this.#port, last);
      if (unsettled.size > 0 && end > after) {
        return toSlice(page, page.events.slice(0, positions.indexOf(end) + 1), end, false);
      }
      await this.#settle(last, unsettled, signal);
    }
  }

  /** The position where the read began may be one behind which an append is under way. Such a read goes on without it. */
  async #withSettled<E extends DomainEvent>(slice: AllSlice<E>): Promise<AllSlice<E>> {
    const { isEnd, position } = slice;
    const isSettled =
      isEnd &&
      (this.#settled.known.upTo >= position ||
        (await this.#settled.findUnsettled(this.#port, position)).size === 0);
    return isSettled ? withSettled(slice) : slice;
  }

  /** A filter hides gaps, so it applies only to settled positions. */
  async #readFiltered<E extends DomainEvent>(
    read: AllRead,
    signal: AbortSignal | undefined,
  ): Promise<AllSlice<E>> {
    const { after = 0, limit } = read;
    for (let target: number | undefined; ;) {
      const known = this.#settled.known;
      const { upTo } = known;
      const page = await this.#fetch<E>(read, this.#statements.filtered(read, upTo));
      assertNotAhead(after, page);
      target ??= page.last;
      if (this.#settled.upToOf(known) < upTo) continue;
      if (page.isCut || page.events.length > limit) {
        const events = page.events.slice(0, limit);
        return toSlice(page, events, positionOfLast(events), false);
      }
      if (upTo >= target) return withSettled(toSlice(page, page.events, Math.max(after, upTo), true));
      if (await this.#settled.extendTo(this.#port, page.last)) continue;
      await this.#settle(page.last, await this.#settled.findUnsettled(this.#port, page.last), signal);
    }
  }

  /** A backward reader needs only the events visible now: it has passed the positions of later commits. */
  async #readBackward<E extends DomainEvent>(read: AllRead): Promise<AllSlice<E>> {
    const { after, limit } = read;
    const page = await this.#fetch<E>(read, this.#statements.backward(read));
    if (after !== undefined) assertNotAhead(after, page);
    const isEnd = !page.isCut && page.events.length <= limit;
    const events = page.events.slice(0, limit);
    return toSlice(page, events, isEnd ? Math.min(1, page.last) : positionOfLast(events), isEnd);
  }

  async #fetch<E extends DomainEvent>(read: AllRead, queryWithin: PageQueryWithin): Promise<Page<E>> {
    const { header, events, isCut } = await this.#fetchRows<E>(read, queryWithin);
    const [storeId, last, unsafe, place] = header as [string, string, string, string];
    if (unsafe === 'standby') {
      // By the next attempt, the name may lead to a primary.
      throw asRetryable(
        new UnsafeReadError(
          'This server is a standby: it does not show which appends are under way, so a reader in order could lose events. Read from the primary.',
        ),
      );
    }
    if (unsafe !== '') {
      throw new UnsafeReadError(
        'The events arrive here by logical replication, in the order of commits: a reader in order could lose some. Read from the publisher.',
      );
    }
    if (this.#settled.observe(`${storeId}/${place}`)) this.#isProbed = false;
    if (!this.#isProbed) await this.#options.probe?.();
    // Not set when the probe fails: the next read must probe again.
    this.#isProbed = true;
    return { storeId, last: Number(last), events, isCut };
  }

  async #fetchRows<E extends DomainEvent>(
    { limit, maxBytes }: AllRead,
    queryWithin: PageQueryWithin,
  ): Promise<EventRows<E>> {
    const most = Math.floor(maxBytes / limit);
    if (this.#largest <= most) {
      const rows = await readPage<E>(this.#port, ...queryWithin('small', most));
      if (!rows.isCut) return this.#noted(rows);
      this.#largest = most + 1;
    }
    return this.#noted(await readPage<E>(this.#port, ...queryWithin('fitting', maxBytes)));
  }

  /** A single event, which may be a look at the end, says little about the size of the next events. */
  #noted<E extends DomainEvent>(rows: EventRows<E>): EventRows<E> {
    const isTelling = rows.events.length > 1 && !rows.isCut;
    this.#largest = isTelling ? rows.largest : Math.max(rows.largest, this.#largest);
    return rows;
  }

  async #settle(
    position: number,
    unsettled: ReadonlySet<string>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await this.#settled.settle(this.#port, position, unsettled, {
      timeout: this.#options.settleTimeout,
      signal,
    });
  }
}

function assertNotAhead(after: number, { last, storeId }: Page<DomainEvent>): void {
  if (after > last) throw aheadOfStore(after, storeId, last);
}

function positionOfLast(events: readonly RecordedEvent[]): number {
  return (events.at(-1) as RecordedEvent).position;
}

function toSlice<E extends DomainEvent>(
  { storeId }: Page<E>,
  events: readonly RecordedEvent<E>[],
  position: number,
  isEnd: boolean,
): AllSlice<E> {
  return { events, position, isEnd, storeId };
}

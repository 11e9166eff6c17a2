import { UnsafeReadError } from '../../core/errors/errors.js';
import type { DomainEvent, RecordedEvent } from '../../core/events/event.js';
import type { AllSlice } from '../../core/store/event-store.js';
import type { NormalFilter } from '../../core/store/filter.js';
import { aheadOfStore, type AllRead } from '../../core/store/read-options.js';
import { eq, gt, le, lt, times } from '../operators.js';
import { asRetryable } from '../sql-errors.js';
import { statement, type SqlPort, type SqlStatement, type SqlValue } from '../sql-port.js';
import { fittingEvents, headerColumns, readPage, smallEvents, type EventRows } from './event-row.js';
import { filterCondition, Parameters, tagCondition } from './filter-condition.js';
import { SettledPositions } from './settled-positions.js';

export interface AllReaderOptions {
  /** Most milliseconds that a read waits for an append that is under way. */
  readonly settleTimeout: number;
  /** Called before the first read of a store on a server, to refuse one where reading in order is not safe. */
  readonly probe?: () => Promise<void>;
}

/** A page as it was at one moment. */
interface Page<E extends DomainEvent> {
  readonly storeId: string;
  /** The highest position that is visible. */
  readonly last: number;
  readonly events: readonly RecordedEvent<E>[];
  /** Whether it ends before an event that is too large for it. */
  readonly isCut: boolean;
}

/** The state of the store, in front of the rows of a page and of the same moment. */
const header = `select ${headerColumns(
  's.store_id',
  `coalesce((select pg_catalog.max(e.position) from __schema__.events e), 0)`,
  `case when pg_catalog.pg_is_in_recovery() then 'standby'
    when exists (
      select from pg_catalog.pg_subscription_rel r where r.srrelid ${eq} '__schema__.events'::pg_catalog.regclass
    ) then 'subscriber'
    else '' end`,
  // Another one, where the server or the tables are others.
  `pg_catalog.concat_ws('/', (pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time()) ${times} 1000000)::bigint,
    '__schema__.events'::pg_catalog.regclass::pg_catalog.oid)`,
)} from __schema__.store s`;

/**
 * How the bytes of a page are bounded. `small`: no event of it may take more than its part, which costs nothing to find out.
 * `fitting`: by a running sum, where some do.
 */
type Bound = 'small' | 'fitting';

/** @param bytes of each event, or of all */
const eventsWithin = (bound: Bound, bytes: string, clauses: string, order = 'position'): string =>
  bound === 'small' ? smallEvents(bytes, clauses) : fittingEvents(bytes, clauses, order);

/** Planned anew for each page, since the server hopes for few rows: right for a store that may be small, and grow fast. */
const everythingWithin = (bound: Bound): SqlStatement =>
  statement(
    `(${header}) union all (${eventsWithin(bound, '$3', `where position ${gt} $1 order by position limit $2`)})`,
  );
const everything = { small: everythingWithin('small'), fitting: everythingWithin('fitting') };

const largeStore = {
  /** Behind this position there is one good plan, that of the index, even before the table is analysed. */
  after: 100_000,
  /** Sizes of pages that a statement is kept prepared for. */
  maxPageSizes: 16,
};
const pagesOfLargeStore = {
  small: new Map<number, SqlStatement>(),
  fitting: new Map<number, SqlStatement>(),
};

/**
 * A page of a large store, planned once: the server can't tell how many rows it gives, except by the limit, so nothing is
 * won by planning it anew, which takes as long as reading dozens of events.
 */
function pageOfLargeStore(bound: Bound, limit: number): SqlStatement {
  const pages = pagesOfLargeStore[bound];
  let page = pages.get(limit);
  if (page === undefined) {
    const isConstant = pages.size < largeStore.maxPageSizes;
    const clauses = `where position ${gt} (select $1::bigint) order by position limit ${limit}`;
    page = { text: `(${header}) union all (${eventsWithin(bound, '$2', clauses)})`, isConstant };
    if (isConstant) pages.set(limit, page);
  }
  return page;
}

/** Most events with a tag for which the index of the tags is used, which knows no order. */
const maxCandidates = 2_000;

/**
 * A page of what filters take.
 *
 * Left to itself, PostgreSQL walks along the positions and looks for the tags: right for those that many events carry, but
 * it goes through all events for one that few do. So it first looks for the candidates by their tags, and gives up when there
 * are too many: measured on a million events, a tag of ten took 24,000 buffers and is found in a few dozen, and one of half
 * of them costs a hundred more.
 */
function pageOf(
  filters: readonly NormalFilter[] | undefined,
  parameters: Parameters,
  range: string,
  order: string,
  most: string,
  within: (clauses: string, order: string) => string,
): SqlStatement {
  const condition = `${range} and ${filterCondition(filters, parameters)}`;
  const tags = tagCondition(filters, parameters);
  const events = (where: string): string => within(`where ${where} order by ${order} limit ${most}`, order);
  // There are too many forms of filters to keep them prepared.
  const isConstant = false;
  if (tags === undefined) {
    return { text: `(${header}) union all (${events(condition)})`, isConstant };
  }
  const count = '(select pg_catalog.count(*) from candidates)';
  return {
    text: `with candidates as materialized (
        select position from __schema__.events where ${tags} limit ${maxCandidates + 1}
      )
      (${header}) union all (${events(`${count} ${le} ${maxCandidates}
          and position ${eq} any (array(select position from candidates)) and ${condition}`)}
      ) union all (${events(`${count} ${gt} ${maxCandidates} and ${condition}`)})`,
    isConstant,
  };
}

/** The statement of a page, and its values. */
type StatementOf = (bound: Bound, bytes: number) => readonly [SqlStatement, readonly SqlValue[]];

/**
 * Reads in the order of positions, which transactions don't commit in, without losing what commits late. How and why is in
 * docs/decisions/0006.
 */
export class AllReader {
  readonly #port: SqlPort;
  readonly #options: AllReaderOptions;
  readonly #settled = new SettledPositions();
  #isProbed = false;
  /** Bytes of the largest event that was read lately: events of a size come together. */
  #largest = 0;

  constructor(port: SqlPort, options: AllReaderOptions) {
    this.#port = port;
    this.#options = options;
  }

  async read<E extends DomainEvent>(read: AllRead, signal?: AbortSignal): Promise<AllSlice<E>> {
    if (read.direction === 'backward') return this.#readBackward(read);
    return read.filters === undefined ? this.#readEverything(read, signal) : this.#readFiltered(read, signal);
  }

  /** Positions without a gap need no second look. */
  async #readEverything<E extends DomainEvent>(
    read: AllRead,
    signal: AbortSignal | undefined,
  ): Promise<AllSlice<E>> {
    const { after = 0, limit } = read;
    for (;;) {
      const known = this.#settled.known;
      const page = await this.#fetch<E>(read, (bound, bytes) =>
        after < largeStore.after
          ? [everything[bound], [after, limit, bytes]]
          : [pageOfLargeStore(bound, limit), [after, bytes]],
      );
      assertNotAhead(after, page);
      const positions = page.events.map((event) => event.position);
      const end = this.#settled.extend(after, positions, known);
      const last = positions.at(-1) ?? after;
      if (end === last) return toSlice(page, page.events, last, last >= page.last);

      const unsettled = await this.#settled.findUnsettled(this.#port, last);
      if (unsettled.size > 0 && end > after) {
        return toSlice(page, page.events.slice(0, positions.indexOf(end) + 1), end, false);
      }
      await this.#settle(last, unsettled, signal);
    }
  }

  /** A filter hides gaps, so it is applied to what is settled. */
  async #readFiltered<E extends DomainEvent>(
    read: AllRead,
    signal: AbortSignal | undefined,
  ): Promise<AllSlice<E>> {
    const { after = 0, limit, filters } = read;
    for (let target: number | undefined; ;) {
      const known = this.#settled.known;
      const { upTo } = known;
      const page = await this.#fetch<E>(read, (bound, bytes) => {
        const parameters = new Parameters();
        const [from, to, most, size] = [after, upTo, limit + 1, bytes].map((value) =>
          parameters.add(value),
        ) as [string, string, string, string];
        const range = `position ${gt} ${from} and position ${le} ${to}`;
        const within = (clauses: string, order: string): string => eventsWithin(bound, size, clauses, order);
        return [pageOf(filters, parameters, range, 'position', most, within), parameters.values];
      });
      assertNotAhead(after, page);
      target ??= page.last;
      if (this.#settled.upToOf(known) < upTo) continue;
      if (page.isCut || page.events.length > limit) {
        const events = page.events.slice(0, limit);
        return toSlice(page, events, positionOfLast(events), false);
      }
      if (upTo >= target) return toSlice(page, page.events, Math.max(after, upTo), true);
      if (await this.#settled.extendTo(this.#port, page.last)) continue;
      await this.#settle(page.last, await this.#settled.findUnsettled(this.#port, page.last), signal);
    }
  }

  /** A late commit lies behind a backward reader, which needs no more than what is there now. */
  async #readBackward<E extends DomainEvent>(read: AllRead): Promise<AllSlice<E>> {
    const { after, limit, filters } = read;
    const page = await this.#fetch<E>(read, (bound, bytes) => {
      const parameters = new Parameters();
      const before = parameters.add(after ?? null);
      const most = parameters.add(limit + 1);
      const size = parameters.add(bytes);
      const range = `position ${lt} coalesce(${before}, 9223372036854775807)`;
      const within = (clauses: string, order: string): string => eventsWithin(bound, size, clauses, order);
      return [pageOf(filters, parameters, range, 'position desc', most, within), parameters.values];
    });
    if (after !== undefined) assertNotAhead(after, page);
    const isEnd = !page.isCut && page.events.length <= limit;
    const events = page.events.slice(0, limit);
    return toSlice(page, events, isEnd ? Math.min(1, page.last) : positionOfLast(events), isEnd);
  }

  async #fetch<E extends DomainEvent>(read: AllRead, statementOf: StatementOf): Promise<Page<E>> {
    const { header, events, isCut } = await this.#fetchRows<E>(read, statementOf);
    const [storeId, last, unsafe, place] = header as [string, string, string, string];
    if (unsafe === 'standby') {
      // Behind its name there may be a primary by the next attempt.
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
    // Not after a probe that failed: the next read must not go on without.
    this.#isProbed = true;
    return { storeId, last: Number(last), events, isCut };
  }

  async #fetchRows<E extends DomainEvent>(
    { limit, maxBytes }: AllRead,
    statementOf: StatementOf,
  ): Promise<EventRows<E>> {
    const most = Math.floor(maxBytes / limit);
    if (this.#largest <= most) {
      const rows = await readPage<E>(this.#port, ...statementOf('small', most));
      if (!rows.isCut) return this.#noted(rows);
      this.#largest = most + 1;
    }
    return this.#noted(await readPage<E>(this.#port, ...statementOf('fitting', maxBytes)));
  }

  /** A single event, which may be the end that somebody looks for, tells little of those to come. */
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

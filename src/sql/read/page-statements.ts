import type { NormalFilter } from '../../core/store/read/filter.js';
import type { AllRead } from '../../core/store/read/read-options.js';
import { eq, gt, le, lt, times } from '../operators.js';
import { statement, type SqlStatement, type SqlValue } from '../sql-port.js';
import { fittingEvents, headerColumns, smallEvents } from './event-row.js';
import { filterCondition, Parameters, tagCondition } from './filter-condition.js';

/** The state of the store: the first row of a page, read at the same moment. */
const header = `select ${headerColumns(
  's.store_id',
  `coalesce((select pg_catalog.max(e.position) from __schema__.events e), 0)`,
  `case when pg_catalog.pg_is_in_recovery() then 'standby'
    when exists (
      select from pg_catalog.pg_subscription_rel r where r.srrelid ${eq} '__schema__.events'::pg_catalog.regclass
    ) then 'subscriber'
    else '' end`,
  // Differs for another server or other tables.
  `pg_catalog.concat_ws('/', (pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time()) ${times} 1000000)::bigint,
    '__schema__.events'::pg_catalog.regclass::pg_catalog.oid)`,
)} from __schema__.store s`;

/**
 * How the bytes of a page are bounded. `small`: no event may take more than its part, which costs nothing to check.
 * `fitting`: by a running sum, if some events take more.
 */
type Bound = 'small' | 'fitting';

/** @param bytes the limit, for each event or for all, as `bound` says */
const eventsWithin = (bound: Bound, bytes: string, clauses: string, order = 'position'): string =>
  bound === 'small' ? smallEvents(bytes, clauses) : fittingEvents(bytes, clauses, order);

/** Planned anew for each page, since the server expects few rows: right for a store that may be small and grow fast. */
const everythingWithin = (bound: Bound): SqlStatement =>
  statement(
    `(${header}) union all (${eventsWithin(bound, '$3', `where position ${gt} $1 order by position limit $2`)})`,
  );
const everything = { small: everythingWithin('small'), fitting: everythingWithin('fitting') };

const largeStore = {
  /** After this position only the plan with the index is good, even before the table is analysed. */
  after: 100_000,
  /** Most page sizes for which a statement is kept prepared. */
  maxPageSizes: 16,
};

/**
 * Most events that are looked up in the index of the tags, which knows no order; and most positions that are walked along
 * instead.
 */
const maxCandidates = 2_000;

/**
 * A page of the events that filters take.
 *
 * By itself, PostgreSQL walks along the positions and looks for the tags: right for tags of many events, but for a tag
 * of few it goes through all events. So the statement first looks for candidates by their tags, and gives up when there
 * are too many. Measured on a million events: a tag of ten events took 24,000 buffers and now takes a few dozen; a tag
 * of half the events takes a hundred more. Near the end, where readers mostly are, the walk is shorter: of a tag of
 * 100,000 events, a tenth of the time.
 */
function pageOf(
  filters: readonly NormalFilter[] | undefined,
  parameters: Parameters,
  range: string,
  order: string,
  most: string,
  within: (clauses: string, order: string) => string,
  positions = Infinity,
): SqlStatement {
  const condition = `${range} and ${filterCondition(filters, parameters)}`;
  const tags = positions > maxCandidates ? tagCondition(filters, parameters) : undefined;
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

/** A statement of a page, with its values. */
type PageQuery = readonly [statement: SqlStatement, values: readonly SqlValue[]];

/** Makes the statement of a page that is bounded by the bytes of each event, or of all. */
export type PageQueryWithin = (bound: Bound, bytes: number) => PageQuery;

/** The statements for pages of all events, with the state of the store in front. */
export class PageStatements {
  readonly #ofLargeStore = {
    small: new Map<number, SqlStatement>(),
    fitting: new Map<number, SqlStatement>(),
  };

  everything({ after = 0, limit }: AllRead): PageQueryWithin {
    return (bound, bytes) =>
      after < largeStore.after
        ? [everything[bound], [after, limit, bytes]]
        : [this.#pageOfLargeStore(bound, limit), [after, bytes]];
  }

  /** The events that the filters take, up to a position, and one more than the limit. */
  filtered({ after = 0, limit, filters }: AllRead, upTo: number): PageQueryWithin {
    return (bound, bytes) => {
      const parameters = new Parameters();
      const from = parameters.add(after);
      const to = parameters.add(upTo);
      const most = parameters.add(limit + 1);
      const size = parameters.add(bytes);
      const range = `position ${gt} ${from} and position ${le} ${to}`;
      const within = (clauses: string, order: string): string => eventsWithin(bound, size, clauses, order);
      return [pageOf(filters, parameters, range, 'position', most, within, upTo - after), parameters.values];
    };
  }

  /** One event more than the limit. */
  backward({ after, limit, filters }: AllRead): PageQueryWithin {
    return (bound, bytes) => {
      const parameters = new Parameters();
      const before = parameters.add(after ?? null);
      const most = parameters.add(limit + 1);
      const size = parameters.add(bytes);
      const range = `position ${lt} coalesce(${before}, 9223372036854775807)`;
      const within = (clauses: string, order: string): string => eventsWithin(bound, size, clauses, order);
      return [pageOf(filters, parameters, range, 'position desc', most, within), parameters.values];
    };
  }

  /**
   * A page of a large store, planned once: the server knows nothing about the number of rows but the limit, so planning
   * it anew gains nothing and takes as long as reading dozens of events.
   */
  #pageOfLargeStore(bound: Bound, limit: number): SqlStatement {
    const pages = this.#ofLargeStore[bound];
    let page = pages.get(limit);
    if (page === undefined) {
      const isConstant = pages.size < largeStore.maxPageSizes;
      const clauses = `where position ${gt} (select $1::bigint) order by position limit ${limit}`;
      page = { text: `(${header}) union all (${eventsWithin(bound, '$2', clauses)})`, isConstant };
      if (isConstant) pages.set(limit, page);
    }
    return page;
  }
}

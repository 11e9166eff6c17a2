import type { MemberOutcome } from '../sql/append/batch-runner.js';
import { eq } from '../sql/operators.js';
import { statement, type SqlPort } from '../sql/sql-port.js';

/** Below this number, every plan is fast. */
const leastEvents = 1_000;

const analysedEvents = statement(
  `select reltuples::bigint from pg_catalog.pg_class where oid ${eq} '__schema__.events'::pg_catalog.regclass`,
);
const lastPosition = statement('select coalesce(pg_catalog.max(position), 0) from __schema__.events');
const analyze = statement('analyze __schema__.events');

/**
 * Analyses the table each time it has doubled, as a server does in the background and PGlite doesn't. Without this, the
 * planner takes every tag for a rare one: each page of a common tag would first collect all its events.
 */
export class TableStatistics {
  readonly #port: SqlPort;
  #analysed: number;

  private constructor(port: SqlPort, analysed: number) {
    this.#port = port;
    this.#analysed = analysed;
  }

  static async open(port: SqlPort): Promise<TableStatistics> {
    const [[events] = []] = await port.query(analysedEvents, []);
    const statistics = new TableStatistics(port, Number(events));
    const [[position] = []] = await port.query(lastPosition, []);
    await statistics.#grewTo(Number(position));
    return statistics;
  }

  async observe(outcomes: readonly MemberOutcome[]): Promise<void> {
    let last = 0;
    for (const outcome of outcomes) {
      if (outcome.status !== 'fulfilled' || outcome.value.kind !== 'appended') continue;
      last = Math.max(last, outcome.value.commits.at(-1)?.position ?? 0);
    }
    await this.#grewTo(last);
  }

  async #grewTo(position: number): Promise<void> {
    if (position < Math.max(leastEvents, 2 * this.#analysed)) return;
    this.#analysed = position;
    await this.#port.query(analyze, []);
  }
}

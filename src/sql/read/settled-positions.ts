import { StoreUnavailableError } from '../../core/errors/store-errors.js';
import { pauseAfter, type Backoff } from '../../core/values/backoff.js';
import { bitAnd, eq, gt, le } from '../operators.js';
import { delay } from '../retrying.js';
import { statement, type SqlPort } from '../sql-port.js';

/** Between two looks at whether appends have ended. */
const betweenLooks: Backoff = { first: 1, longest: 20 };

// By virtual transaction, never by process: a prepared transaction has no process. Its own transaction a reader need not
// wait for.
const holdersOfAppendLock = statement(`
  select l.virtualtransaction
  from pg_catalog.pg_locks l, __schema__.append_lock() k
  where l.locktype ${eq} 'advisory' and l.granted and l.objsubid ${eq} 2
    and l.classid::bigint ${eq} k.class and l.objid::bigint ${eq} (k.object::bigint ${bitAnd} 4294967295)
    and l.database ${eq} (select d.oid from pg_catalog.pg_database d where d.datname ${eq} pg_catalog.current_database())
    and (l.pid ${eq} pg_catalog.pg_backend_pid()) is not true`);

const contiguousFrom = statement(`
  select pg_catalog.count(*), pg_catalog.max(position) from (
    select position from __schema__.events where position ${gt} $1 and position ${le} $2 order by position limit 5000
  ) next`);

/** What was settled at a moment. */
export interface Settled {
  readonly store: string;
  readonly upTo: number;
}

/**
 * Up to which position everything is settled: what is not there was rolled back and never will be. It only grows, for as
 * long as the store is the same one on the same server.
 */
export class SettledPositions {
  #store = '';
  #upTo = 0;

  /**
   * What is known before a page is read. What becomes known meanwhile, by another reader, says nothing of that page: it may
   * have been read before.
   */
  get known(): Settled {
    return { store: this.#store, upTo: this.#upTo };
  }

  /** Up to which position a page that was read after that holds everything. */
  upToOf({ store, upTo }: Settled): number {
    return store === this.#store ? upTo : 0;
  }

  /** Forgets all when the store or its server is another than before: positions may have been issued again. */
  observe(store: string): boolean {
    if (store === this.#store) return false;
    this.#store = store;
    this.#upTo = 0;
    return true;
  }

  /**
   * The last of the positions, which follow `after`, that comes before a gap that isn't settled.
   *
   * @param known before they were read
   */
  extend(after: number, positions: readonly number[], known: Settled): number {
    const upTo = this.upToOf(known);
    let end = after;
    for (const position of positions) {
      if (position > Math.max(end, upTo) + 1) break;
      end = position;
    }
    if (after <= upTo) this.#upTo = Math.max(this.#upTo, end);
    return end;
  }

  /** Tries by contiguity alone, which waits for nobody: what a reader near the end needs. */
  async extendTo(port: SqlPort, position: number): Promise<boolean> {
    const from = this.#upTo;
    const store = this.#store;
    const [row = []] = await port.query(contiguousFrom, [from, position]);
    const [count, last] = row.map(Number) as [number, number];
    if (count > 0 && from + count === last) this.#raise(store, last);
    return this.#upTo >= position;
  }

  /**
   * Asks who may still commit a position up to this one, which was seen in an earlier statement.
   *
   * @returns the transactions to wait for; when there is none, all up to the position is settled
   */
  async findUnsettled(port: SqlPort, position: number): Promise<ReadonlySet<string>> {
    const store = this.#store;
    const holders = await findHolders(port);
    if (holders.size === 0) this.#raise(store, position);
    return holders;
  }

  /**
   * Waits until each of the transactions has ended. Those that begin meanwhile draw higher positions.
   *
   * @throws StoreUnavailableError when one of them hasn't ended in time
   */
  async settle(
    port: SqlPort,
    position: number,
    unsettled: ReadonlySet<string>,
    { timeout, signal }: { readonly timeout: number; readonly signal: AbortSignal | undefined },
  ): Promise<void> {
    const store = this.#store;
    const deadline = performance.now() + timeout;
    let waitingFor = unsettled;
    for (let looks = 1; waitingFor.size > 0; looks++) {
      if (performance.now() > deadline) {
        throw new StoreUnavailableError(
          `A transaction that appends (${[...waitingFor].join(', ')} in pg_locks.virtualtransaction) has not ended for ` +
            `${timeout} ms. Going on would lose its events: end it, or wait and read again.`,
        );
      }
      await delay(pauseAfter(looks, betweenLooks));
      signal?.throwIfAborted();
      waitingFor = stillUnsettled(waitingFor, await findHolders(port));
    }
    this.#raise(store, position);
  }

  /** Only for the store that it was found out of. */
  #raise(store: string, position: number): void {
    if (store === this.#store) this.#upTo = Math.max(this.#upTo, position);
  }
}

async function findHolders(port: SqlPort): Promise<ReadonlySet<string>> {
  const rows = await port.query(holdersOfAppendLock, []);
  return new Set(rows.map(([transaction]) => transaction as string));
}

/** After a crash a prepared transaction holds the lock under another name (-1/xid): where a name is gone, it may be any such. */
function stillUnsettled(before: ReadonlySet<string>, holders: ReadonlySet<string>): ReadonlySet<string> {
  const remaining = [...before].filter((transaction) => holders.has(transaction));
  const recovered =
    remaining.length < before.size ? [...holders].filter((transaction) => transaction.startsWith('-1/')) : [];
  return new Set([...remaining, ...recovered]);
}

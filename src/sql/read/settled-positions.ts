import { StoreUnavailableError } from '../../core/errors/store-errors.js';
import { pauseAfter, type Backoff } from '../../core/values/backoff.js';
import { wait } from '../../core/values/wait.js';
import { bitAnd, eq, gt, le } from '../operators.js';
import { statement, type SqlPort } from '../sql-port.js';

/** Pauses between two looks at whether appends have ended. */
const betweenLooks: Backoff = { first: 1, longest: 20 };

// By virtual transaction, never by process: a prepared transaction has no process. A reader needn't wait for its own
// transaction.
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

/** The settled position of a store at one moment. */
export interface Settled {
  readonly store: string;
  readonly upTo: number;
}

/**
 * The position up to which everything is settled: a position missing there was rolled back and will never exist. It
 * only grows, as long as the store and its server stay the same.
 */
export class SettledPositions {
  #store = '';
  #upTo = 0;

  /**
   * The position known before a page is read. A position that another reader settles meanwhile says nothing about that
   * page, which may have been read before.
   */
  get known(): Settled {
    return { store: this.#store, upTo: this.#upTo };
  }

  /** The position up to which a page read after that moment holds everything. */
  upToOf({ store, upTo }: Settled): number {
    return store === this.#store ? upTo : 0;
  }

  /** Forgets everything when the store or its server has changed: positions may have been issued again. */
  observe(store: string): boolean {
    if (store === this.#store) return false;
    this.#store = store;
    this.#upTo = 0;
    return true;
  }

  /**
   * The last of the positions after `after` that comes before an unsettled gap.
   *
   * @param known the settled position before they were read
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

  /** Tries by contiguity alone, which waits for no transaction: enough for a reader near the end. */
  async extendTo(port: SqlPort, position: number): Promise<boolean> {
    const from = this.#upTo;
    const store = this.#store;
    const [row = []] = await port.query(contiguousFrom, [from, position]);
    const [count, last] = row.map(Number) as [number, number];
    if (count > 0 && from + count === last) this.#raise(store, last);
    return this.#upTo >= position;
  }

  /**
   * Finds the transactions that may still commit a position up to this one, which an earlier statement saw.
   *
   * @returns the transactions to wait for; if there are none, everything up to the position is settled
   */
  async findUnsettled(port: SqlPort, position: number): Promise<ReadonlySet<string>> {
    const store = this.#store;
    const holders = await findHolders(port);
    if (holders.size === 0) this.#raise(store, position);
    return holders;
  }

  /**
   * Waits until each of the transactions has ended. Transactions that begin meanwhile draw higher positions.
   *
   * @throws StoreUnavailableError when a transaction hasn't ended in time
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
      await wait(pauseAfter(looks, betweenLooks));
      signal?.throwIfAborted();
      waitingFor = stillUnsettled(waitingFor, await findHolders(port));
    }
    this.#raise(store, position);
  }

  /** Only if the store is still the one in which the position was found. */
  #raise(store: string, position: number): void {
    if (store === this.#store) this.#upTo = Math.max(this.#upTo, position);
  }
}

async function findHolders(port: SqlPort): Promise<ReadonlySet<string>> {
  const rows = await port.query(holdersOfAppendLock, []);
  return new Set(rows.map(([transaction]) => transaction as string));
}

/** After a crash, a prepared transaction holds the lock as -1/xid: once a name is gone, any such may be its new one. */
function stillUnsettled(before: ReadonlySet<string>, holders: ReadonlySet<string>): ReadonlySet<string> {
  const remaining = [...before].filter((transaction) => holders.has(transaction));
  const recovered =
    remaining.length < before.size ? [...holders].filter((transaction) => transaction.startsWith('-1/')) : [];
  return new Set([...remaining, ...recovered]);
}

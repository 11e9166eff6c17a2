import { StoreClosedError } from '../core/errors/store-errors.js';
import type { SqlPort, SqlRow, SqlStatement, SqlValue } from './sql-port.js';

/** A port that the store can close. */
export class ClosablePort implements SqlPort {
  readonly #port: SqlPort;
  #isClosed = false;

  constructor(port: SqlPort) {
    this.#port = port;
  }

  /** @throws StoreClosedError once it is closed · the errors of the port */
  async query<T = SqlRow>(
    statement: SqlStatement,
    values: readonly SqlValue[],
    map?: (row: SqlRow) => T,
  ): Promise<readonly T[]> {
    this.assertOpen();
    return this.#port.query(statement, values, map);
  }

  /** @throws StoreClosedError */
  assertOpen(): void {
    if (this.#isClosed) throw closedStore();
  }

  close(): void {
    this.#isClosed = true;
  }
}

export function closedStore(): StoreClosedError {
  return new StoreClosedError(
    'The store is closed; nothing was stored or read. Open it again, or use another.',
  );
}

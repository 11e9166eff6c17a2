import { StoreUnavailableError } from '../core/errors/store-errors.js';
import { isObject } from '../core/values/json.js';

/**
 * Whether an embedded database has failed for good, as with a full disk. A server would restart itself; PGlite can't,
 * and its next statement, even a ROLLBACK, would never return and block the process.
 */
export class FailedDatabase {
  #failure: unknown;
  #hasFailed = false;

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** @throws StoreUnavailableError once it has failed */
  check(): void {
    if (!this.#hasFailed) return;
    throw new StoreUnavailableError(
      `The embedded database has failed: ${(this.#failure as Error).message}. See to its disk, close the store, and open it again in a new process.`,
      { cause: this.#failure },
    );
  }

  /** Notes an error. @returns whether it is the end of the database */
  note(error: unknown): boolean {
    const { severity } = isObject(error) ? (error as { severity?: unknown }) : {};
    if (severity !== 'PANIC' && severity !== 'FATAL') return false;
    this.#failure ??= error;
    this.#hasFailed = true;
    return true;
  }
}

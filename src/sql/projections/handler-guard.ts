import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import { HandlerError } from '../../core/projections/projection-sink.js';
import { kindOf, mayMakeTemporary, outlivesTransaction, statementsOf } from './statement-text.js';

/** The savepoint for the one transaction that a query library may begin within the sink's. */
const savepoint = '"temporal_event_store_handler"';

/**
 * Stands between a handler and its client, since the transaction is the sink's. A transaction that a query library
 * begins becomes a savepoint. Any other statement that would end the transaction, or change the session beyond it,
 * isn't sent, and fails the handler even if the handler catches the error.
 */
export class HandlerGuard {
  #misuse: InvalidArgumentError | undefined;
  #isNested = false;
  #isOver = false;
  #unanswered = 0;
  #mayHaveTemporary = false;

  /** Whether the session may have temporary tables by now. */
  get mayHaveTemporary(): boolean {
    return this.#mayHaveTemporary;
  }

  /**
   * @returns the text to send instead
   * @throws InvalidArgumentError for a text that must not be sent
   */
  admit(text: string): string {
    if (this.#isOver) {
      throw new InvalidArgumentError(
        `The transaction is over in which '${excerpt(text)}' should run, and it wasn't sent: a handler awaits all that it sends, and keeps no client for later.`,
      );
    }
    this.#mayHaveTemporary ||= mayMakeTemporary(text);
    const statements = statementsOf(text);
    for (const statement of statements) {
      const kind = kindOf(statement);
      if (kind === 'plain') continue;
      if (kind === 'session') this.refuse(statement, changesSession);
      if (kind === 'ends' || statements.length > 1) this.refuse(statement, endsTransaction);
      return this.#nested(kind, statement);
    }
    if (outlivesTransaction(text)) this.refuse(text, changesSession);
    return text;
  }

  /** @throws InvalidArgumentError */
  refuse(what: string, why = endsTransaction): never {
    this.#misuse ??= new InvalidArgumentError(`'${excerpt(what)}' was not sent: ${why}`);
    throw this.#misuse;
  }

  /** Notes that a statement was sent. @returns what to call when it is answered */
  sent(): () => void {
    this.#unanswered++;
    return () => {
      this.#unanswered--;
    };
  }

  /**
   * @param hasFailed whether the handler has thrown: then nothing that it left half done is stored
   * @throws HandlerError for the handler's misuse of its client, whatever it threw or caught itself
   */
  end(hasFailed: boolean): void {
    this.#isOver = true;
    if (!hasFailed) {
      if (this.#unanswered > 0) {
        this.#misuse ??= new InvalidArgumentError(
          `It returned before ${this.#unanswered} of its statements were answered: await each of them.`,
        );
      }
      if (this.#isNested) {
        this.#misuse ??= new InvalidArgumentError(`It began a transaction of its own and didn't end it.`);
      }
    }
    if (this.#misuse !== undefined) throw new HandlerError(this.#misuse);
  }

  #nested(kind: 'begin' | 'commit' | 'rollback', statement: string): string {
    if (this.#isNested === (kind === 'begin')) {
      this.refuse(statement, this.#isNested ? nestedTwice : endsTransaction);
    }
    this.#isNested = kind === 'begin';
    return (
      { begin: 'savepoint', commit: 'release savepoint', rollback: 'rollback to savepoint' }[kind] +
      ` ${savepoint}`
    );
  }
}

const endsTransaction =
  "the transaction is the sink's, in which the checkpoint moves too. A handler may begin a transaction of its own, in a text by itself and without an isolation level or read only, and end that: it becomes a savepoint.";
const changesSession = `it would change the session beyond the transaction, for all who use the connection later. Say 'set local', or configure the pool.`;
const nestedTwice =
  'the handler has begun a transaction already. Within it use savepoints, and no two transactions side by side.';

function excerpt(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}

import type { ClientBase, Connection } from 'pg';
import type { SqlRow } from '../sql/sql-port.js';
import { encodeExecution, encodePreparation, type WireValue } from './wire-message.js';

export interface WireStatement {
  readonly text: string;
  /** Under which the connection keeps it prepared; absent where it shall not. */
  readonly name: string | undefined;
  readonly values: readonly WireValue[];
}

/** How it ended, which comes once or, after a loss of the connection, never. */
export interface StatementListener {
  onRow(row: SqlRow): void;
  onEnd(): void;
  onError(error: Error): void;
}

/**
 * Has a client of `pg` run a statement, and queues as its own do. Unlike those, it is written in one piece, and its rows
 * are given as they come from the wire.
 */
export function sendStatement(
  client: ClientBase,
  statement: WireStatement,
  listener: StatementListener,
): void {
  const Statement = statementClassOf(client);
  client.query(new Statement(statement, listener));
}

/** What `pg` calls, of which its types know nothing. */
interface PgQuery {
  readonly name: string | undefined;
  submit(connection: Connection): Error | null;
  handleDataRow(message: { readonly fields: SqlRow }): void;
  handleCommandComplete(message: unknown, connection: Connection): void;
  handleReadyForQuery(connection: Connection): void;
  handleError(error: Error, connection: Connection): void;
}
type PgQueryClass = new (config: { readonly text: string; readonly name: string | undefined }) => PgQuery;
type StatementClass = new (statement: WireStatement, listener: StatementListener) => PgQuery;

/** What a connection of `pg` remembers of its named statements; the second only in newer versions. */
interface StatementMemory {
  readonly parsedStatements: Record<string, string | undefined>;
  readonly submittedNamedStatements?: Record<string, string | undefined>;
}

const statementClasses = new WeakMap<PgQueryClass, StatementClass>();

/** Of the `pg` of the client, which need not be the one that is found from here. */
function statementClassOf(client: ClientBase): StatementClass {
  const { Query } = client.constructor as unknown as { readonly Query: PgQueryClass };
  let found = statementClasses.get(Query);
  if (found === undefined) statementClasses.set(Query, (found = createStatementClass(Query)));
  return found;
}

/** Of Query, because a client in pipeline mode takes nothing else. */
function createStatementClass(Query: PgQueryClass): StatementClass {
  return class extends Query {
    readonly #statement: WireStatement;
    readonly #listener: StatementListener;

    constructor(statement: WireStatement, listener: StatementListener) {
      super(statement);
      this.#statement = statement;
      this.#listener = listener;
    }

    override submit(connection: Connection): null {
      const { text, name = '', values } = this.#statement;
      const execution = encodeExecution(name, values);
      const { parsedStatements, submittedNamedStatements = {} } = connection as unknown as StatementMemory;
      const isKnown = name !== '' && (parsedStatements[name] ?? submittedNamedStatements[name]) !== undefined;
      if (!isKnown && name !== '') submittedNamedStatements[name] = text;
      // Where it isn't writable, the client is about to hear that it has ended.
      if (connection.stream.writable)
        connection.stream.write(
          isKnown ? execution : Buffer.concat([encodePreparation(name, text), execution]),
        );
      return null;
    }

    override handleDataRow({ fields }: { readonly fields: SqlRow }): void {
      this.#listener.onRow(fields);
    }

    override handleCommandComplete(): void {
      // Not the end: the commit is yet to come, and may fail.
    }

    override handleReadyForQuery(): void {
      this.#listener.onEnd();
    }

    override handleError(error: Error): void {
      this.#listener.onError(error);
    }
  };
}

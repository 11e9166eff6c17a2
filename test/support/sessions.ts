import type { Client, QueryResultRow } from 'pg';
import { connect } from './postgres.js';

const WAIT_TIMEOUT = 10_000;

/** One connection in a scripted interleaving: it does one thing at a time. */
export interface Session {
  /** Of its backend. */
  readonly pid: number;
  /** Runs a statement to its end; returns its rows. */
  run<Row extends QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Begins a statement and returns at once; {@link result} takes what comes of it. */
  start(sql: string, values?: readonly unknown[]): void;
  /** The rows or the error of the statement that was started. */
  result<Row extends QueryResultRow>(): Promise<Row[]>;
  /** Whether the statement that was started waits for a lock now. */
  isBlocked(): Promise<boolean>;
  /** Waits until the statement waits for a lock; rejects if it ends instead. */
  untilBlocked(): Promise<void>;
}

/** Named sessions until the test finishes, on an address that does not lead through a pooler. */
export async function openSessions<Name extends string>(
  directUrl: string,
  ...names: readonly Name[]
): Promise<Record<Name, Session>> {
  const observer = await connect(directUrl);
  const sessions = names.map(async (name) => [name, await openSession(directUrl, name, observer)] as const);
  return Object.fromEntries(await Promise.all(sessions)) as Record<Name, Session>;
}

/** Waits until so many connections to the database wait for a lock, whoever has opened them. */
export async function untilBlocked(directUrl: string, connections = 1): Promise<void> {
  const observer = await connect(directUrl);
  const sql = `SELECT count(*)::integer AS waiting FROM pg_stat_activity
               WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`;
  await until(async () => {
    const { rows } = await observer.query<{ waiting: number }>(sql);
    return rows[0]!.waiting >= connections;
  }, `${connections} connections to wait for a lock`);
}

async function openSession(directUrl: string, name: string, observer: Client): Promise<Session> {
  const client = await connect(directUrl);
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const { pid } = rows[0]!;
  let running: { readonly rows: Promise<QueryResultRow[]>; hasEnded: boolean } | undefined;

  const isBlocked = async () => {
    const sql = 'SELECT cardinality(pg_blocking_pids($1)) > 0 AS blocked';
    return (await observer.query<{ blocked: boolean }>(sql, [pid])).rows[0]!.blocked;
  };
  const start = (sql: string, values: readonly unknown[] = []) => {
    if (running !== undefined) throw new Error(`Session ${name} has a statement whose result nobody took`);
    const rows = client.query<QueryResultRow>(sql, [...values]).then((result) => result.rows);
    const statement = { rows, hasEnded: false };
    const end = () => void (statement.hasEnded = true);
    rows.then(end, end);
    running = statement;
  };
  const result = async <Row extends QueryResultRow>() => {
    if (running === undefined) throw new Error(`Session ${name} has not started a statement`);
    const statement = running.rows as Promise<Row[]>;
    return statement.finally(() => (running = undefined));
  };
  return {
    pid,
    start,
    result,
    isBlocked,
    async run(sql, values) {
      start(sql, values);
      return result();
    },
    async untilBlocked() {
      await until(async () => {
        if (await isBlocked()) return true;
        if (running?.hasEnded !== false) {
          throw new Error(`Session ${name} does not wait: it runs no statement`);
        }
        return false;
      }, `session ${name} to wait for a lock`);
    },
  };
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + WAIT_TIMEOUT;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Waited ${WAIT_TIMEOUT / 1000} s in vain for ${what}`);
  }
}

import type { Client } from 'pg';
import type { Contender } from './contenders/contender.js';
import { runSql } from './contenders/pg-pool.js';
import { pg } from './library.js';

/** The databases of one measurement on a server: one for each contender, so that none fills the tables of another. */
export interface Databases {
  readonly urlOf: (contender: Contender) => string;
}

const prefix = 'bench_';

/**
 * Creates and prepares a database for each contender, and drops them in the end.
 *
 * @param names labels for several sets of databases at a time
 */
export async function withDatabases<T>(
  serverUrl: string,
  contenders: readonly Contender[],
  run: (databases: Databases) => Promise<T>,
  label = 'main',
): Promise<T> {
  const urls = new Map<string, string>();
  const names: string[] = [];
  try {
    for (const contender of contenders) {
      if (urls.has(contender.database)) continue;
      const name = `${prefix}${process.pid}_${label}_${contender.database.replace('-', '_')}`;
      names.push(name);
      await runSql(serverUrl, [`create database "${name}" encoding 'UTF8' template template0`]);
      const url = new URL(serverUrl);
      url.pathname = `/${name}`;
      await contender.prepare(url.href);
      urls.set(contender.database, url.href);
    }
    return await run({
      urlOf({ database }) {
        const url = urls.get(database);
        if (url === undefined) throw new Error(`There is no database of ${database}.`);
        return url;
      },
    });
  } finally {
    for (const name of names) await runSql(serverUrl, [`drop database if exists "${name}" with (force)`]);
  }
}

/** Stores the rows (see `rows.ts`) in a contender's database. */
export async function fill(contender: Contender, url: string, rowsSql: string): Promise<void> {
  await runSql(url, [...contender.fillSql(rowsSql), 'vacuum analyze']);
}

/** Runs with a connection of its own to a database. */
export async function withClient<T>(url: string, run: (client: Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}

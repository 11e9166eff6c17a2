import type { Client } from 'pg';

/** Inserts rows many at a time. */
export interface BulkInsert {
  add(...row: readonly unknown[]): Promise<void>;
  flush(): Promise<void>;
}

export function bulkInsert(client: Client, table: string, types: readonly string[], suffix = ''): BulkInsert {
  const parameters = types.map((type, index) => `$${index + 1}::${type}[]`).join();
  let rows: unknown[][] = [];
  const flush = async (): Promise<void> => {
    const columns = types.map((_, column) => rows.map((row) => row[column]));
    rows = [];
    await client.query(`insert into ${table} select * from unnest(${parameters}) ${suffix}`, columns);
  };
  return {
    flush,
    async add(...row) {
      if (rows.push([...row]) >= 5_000) await flush();
    },
  };
}

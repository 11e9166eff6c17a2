import type { Pool, QueryResult } from 'pg';
import type { Moment, WorkerOrder } from './messages.js';

/** `pg` takes texts, and queries that are objects. */
type Query = (query: string | { readonly text?: string }, values?: unknown[]) => Promise<QueryResult>;

/** The signal that a worker sends itself when it gets to a moment. */
export class Strike {
  #order: Extract<WorkerOrder, { kind: 'strike' }> | undefined;

  receive(order: WorkerOrder): void {
    this.#order = order.kind === 'strike' ? order : undefined;
  }

  at(moment: Moment): void {
    if (this.#order?.moment !== moment) return;
    const { signal } = this.#order;
    this.#order = undefined;
    process.kill(process.pid, signal);
  }

  /** Makes the moments around each COMMIT known, of transactions that write a page or switch builds. */
  watch(pool: Pool): void {
    pool.on('connect', (client) => {
      const query = client.query.bind(client) as Query;
      let suffix: '' | ' of the switch' | undefined;
      const watched: Query = async (...args) => {
        const [asked] = args;
        const text = typeof asked === 'string' ? asked : (asked.text ?? '');
        if (text.startsWith('begin')) suffix = undefined;
        if (text.includes('insert into applied')) suffix = '';
        if (text.startsWith('alter schema')) suffix = ' of the switch';
        if (!text.endsWith('commit') || suffix === undefined) return query(...args);
        this.at(`before COMMIT${suffix}`);
        const result = await query(...args);
        this.at(`after COMMIT${suffix}`);
        return result;
      };
      (client as { query: Query }).query = watched;
    });
  }
}

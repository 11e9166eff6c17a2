import type { Mutation } from '../mutation.js';

const conformance = 'test/postgres/conformance.test.ts';
const lostEvents = 'test/postgres/interleavings/lost-events.test.ts';

/** Reading from a database, and what it keeps beside events. */
export const reads: readonly Mutation[] = [
  {
    name: 'Prepared transactions, which have no process, are not waited for',
    file: 'src/sql/read/settled-positions.ts',
    find: '(l.pid ${eq} pg_catalog.pg_backend_pid()) is not true',
    replace: 'l.pid <> pg_backend_pid()',
    project: 'postgres',
    tests: [lostEvents],
    pattern: 'a prepared transaction loses no event',
  },
  {
    name: 'What another reader has settled meanwhile counts for a page that was read before',
    file: 'src/sql/read/settled-positions.ts',
    find: 'return store === this.#store ? upTo : 0;',
    replace: 'return this.#upTo;',
    project: 'unit',
    tests: ['test/unit/sql/all-reader.test.ts'],
    pattern: 'lose no event when one learns',
  },
  {
    name: 'A filter gives what lies behind a gap',
    file: 'src/sql/read/page-statements.ts',
    find: 'position ${gt} ${from} and position ${le} ${to}`',
    replace: 'position ${gt} ${from} and ${to} is not null`',
    project: 'postgres',
    tests: [lostEvents],
    pattern: 'that a filter is after, behind one that it leaves out loses no event',
  },
  {
    name: 'Trends are counted in the time zone of the database',
    file: 'src/sql/read/statistics.ts',
    find: `occurred_at at time zone interval '0'`,
    replace: 'occurred_at',
    project: 'postgres',
    tests: [conformance],
    pattern: 'statistics',
  },
];

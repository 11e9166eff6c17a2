import type { Mutation } from '../mutation.js';

const conformance = 'test/postgres/conformance.test.ts';
const lostEvents = 'test/postgres/interleavings/lost-events.test.ts';

/** Reading from a database, and what it keeps beside events. */
export const reads: readonly Mutation[] = [
  {
    name: 'Prepared transactions, which have no process, are not waited for',
    file: 'src/sql/settled-positions.ts',
    find: 'l.pid is distinct from pg_backend_pid()',
    replace: 'l.pid <> pg_backend_pid()',
    project: 'postgres',
    tests: [lostEvents],
    pattern: 'a prepared transaction loses no event',
  },
  {
    name: 'A filter gives what lies behind a gap',
    file: 'src/sql/all-reader.ts',
    find: 'position > ${from} and position <= ${to}`',
    replace: 'position > ${from} and ${to} is not null`',
    project: 'postgres',
    tests: [lostEvents],
    pattern: 'that a filter is after, behind one that it leaves out loses no event',
  },
  {
    name: 'Trends are counted in the time zone of the database',
    file: 'src/sql/statistics.ts',
    find: `occurred_at at time zone 'UTC'`,
    replace: 'occurred_at',
    project: 'postgres',
    tests: [conformance],
    pattern: 'statistics',
  },
];

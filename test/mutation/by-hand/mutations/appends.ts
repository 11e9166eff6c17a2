import type { Mutation } from '../mutation.js';

const schema = 'src/sql/migrations/0001_event_store.sql';
const lock = `perform pg_advisory_xact_lock_shared(1163152724, hashoid('__schema__'::regnamespace));`;
const conformance = 'test/postgres/conformance.test.ts';
const exactlyOnce = 'test/postgres/append/exactly-once.test.ts';
const concurrency = 'test/postgres/append/concurrency.test.ts';
const lostEvents = 'test/postgres/interleavings/lost-events.test.ts';

/** Appending: SQL, its queue and its connections. */
export const appends: readonly Mutation[] = [
  {
    name: 'An append of one event takes no lock, so that readers go over it before it commits',
    file: schema,
    find: `${lock}\n  insert into`,
    replace: 'insert into',
    project: 'postgres',
    tests: [lostEvents],
    pattern: 'an append that commits after a later one loses no event',
  },
  {
    name: 'A batch takes no lock',
    file: schema,
    find: `${lock}\n\n  with touched`,
    replace: 'with touched',
    project: 'postgres',
    tests: [lostEvents],
    pattern: 'a batch that is slow to commit loses no event',
  },
  {
    name: 'Connections draw positions ahead, so that they run against the order of appends',
    file: schema,
    find: 'maxvalue 9007199254740991 cache 1;',
    replace: 'maxvalue 9007199254740991 cache 20;',
    project: 'postgres',
    tests: [concurrency],
    pattern: 'one after the other, get positions in their order',
  },
  {
    name: 'An append of one event goes through when the stream is further than expected',
    file: schema,
    find: 'p_expected = -1 or p_expected = version - 1 or',
    replace: 'p_expected = -1 or p_expected <= version - 1 or',
    project: 'postgres',
    tests: [conformance],
    pattern: 'expected version',
  },
  {
    name: 'A member of a batch goes through when its stream is further than expected',
    file: schema,
    find: 'm_expected[i] = -1 or m_expected[i] = versions[i] or',
    replace: 'm_expected[i] = -1 or m_expected[i] <= versions[i] or',
    project: 'postgres',
    tests: [concurrency],
    pattern: 'who expect',
  },
  {
    name: 'A commit of one event that is sent again with its first version is a conflict',
    file: schema,
    find: 'if p_is_checked or not v_is_expected then',
    replace: 'if p_is_checked then',
    project: 'postgres',
    tests: [exactlyOnce],
    pattern: 'sent again with its first version',
  },
  {
    name: 'What follows a conflict in its stream leaves a gap',
    file: schema,
    find: 'v_bases[i] := versions[i] - m_starts[i] + s_counts[v_stream];',
    replace: 'v_bases[i] := v_tops[v_stream];',
    project: 'postgres',
    tests: ['test/postgres/batches.test.ts'],
    pattern: 'on a server',
  },
  {
    name: 'Events can be deleted',
    file: schema,
    find: 'before update or delete or truncate on',
    replace: 'before update or truncate on',
    project: 'postgres',
    tests: ['test/postgres/schema/roles.test.ts'],
    pattern: '^events',
  },
  {
    name: 'Batches take their streams in the order of the calls, and wait for each other in a circle',
    file: 'src/sql/append-arrays.ts',
    find: 'a.streamId < b.streamId ? -1 : Number(a.streamId > b.streamId)',
    replace: '0 * (a.streamId.length - b.streamId.length)',
    project: 'postgres',
    tests: [concurrency],
    pattern: 'take their streams in the same order',
  },
  {
    name: 'An event that the database refuses makes its whole batch fail',
    file: 'src/sql/run-batch.ts',
    find: 'members.length === 1 || !isRefused(reason)',
    replace: 'members.length === 1 || isRefused(reason)',
    project: 'postgres',
    tests: ['test/postgres/bad-input/events.test.ts'],
    pattern: 'are the only ones to fail',
  },
  {
    name: 'The same commit id with other events is taken for a repeat',
    file: 'src/sql/sql-event-store.ts',
    find: 'if (!isSameCommit(stored, prepared)) throw commitMismatch(streamId, commitId);',
    replace: '',
    project: 'postgres',
    tests: [conformance],
    pattern: 'refuses a repeat with another',
  },
  {
    name: 'Of a long commit only its first 64 events are found again',
    file: 'src/sql/stream-reader.ts',
    find: 'if (found.length < idsAtOnce) return events;',
    replace: 'if (found.length <= idsAtOnce) return events;',
    project: 'postgres',
    tests: [exactlyOnce],
    pattern: 'is known to its end',
  },
  {
    name: 'A transaction that appends may stay open for ever',
    file: 'src/postgres/transaction-store.ts',
    find: `in ('0', '0ms')`,
    replace: `in ('0ms')`,
    project: 'postgres',
    tests: ['test/postgres/interleavings/transactions.test.ts'],
    pattern: 'is ended by PostgreSQL after 30 s',
  },
];

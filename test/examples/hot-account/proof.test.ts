import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findFaults, readProof } from '../../../examples/hot-account/proof.js';

const schema = 'proof';
const streams = ['Account-1', 'Account-2'];
let database: PGlite;

beforeAll(async () => {
  database = await PGlite.create();
  // Without the constraints of the store, which let nothing of this happen.
  await database.exec(`create schema ${schema};
    create table ${schema}.events (stream_id text, version bigint, commit_id text, data json)`);
});
beforeEach(async () => {
  await database.exec(`truncate ${schema}.events`);
});
afterAll(() => database.close());

async function store(streamId: string, version: number, commandId: string, amount: number): Promise<void> {
  const data = JSON.stringify({ amount });
  const values = [streamId, version, commandId, data];
  await database.query(`insert into ${schema}.events values ($1, $2, $3, $4)`, values);
}

async function faults(...commands: (readonly [streamId: string, commandId: string, amount: number])[]) {
  const query = (sql: string, parameters: unknown[]) =>
    database.query<Record<string, unknown>>(sql, parameters);
  const answered = commands.map(([streamId, commandId, amount]) => ({ streamId, commandId, amount }));
  return findFaults(await readProof(query, schema, streams, answered));
}

describe('the proof that every command was applied once', () => {
  beforeEach(async () => {
    await store('Account-1', 1, 'a', 1);
    await store('Account-1', 2, 'b', 2);
    await store('Account-2', 1, 'a', 3);
  });
  const one = ['Account-1', 'a', 1] as const;
  const two = ['Account-1', 'b', 2] as const;
  const three = ['Account-2', 'a', 3] as const;

  it('finds nothing where it is so', async () => {
    expect(await faults(one, two, three)).toEqual([]);
  });

  it('finds a command that was applied twice', async () => {
    await store('Account-1', 3, 'b', 2);
    expect(await faults(one, two, three)).toEqual([
      'There are 4 events of 3 commands.',
      '1 commands were applied more than once.',
      '6 were deposited, and the balance is 8.',
    ]);
  });

  it('finds a command that was lost', async () => {
    expect(await faults(one, two, three, ['Account-2', 'c', 4])).toEqual([
      'There are 3 events of 4 commands.',
      '1 commands were answered and not applied.',
      '10 were deposited, and the balance is 6.',
    ]);
  });

  it('finds an event that nobody asked for', async () => {
    expect(await faults(one, two)).toContain('1 events are of no command.');
  });

  it('finds a command that was lost while another was applied twice, with the same sum', async () => {
    await store('Account-2', 2, 'a', 3);
    expect(await faults(one, two, three, ['Account-2', 'c', 3])).toEqual([
      '1 commands were answered and not applied.',
      '1 commands were applied more than once.',
    ]);
  });

  it.each([
    ['a gap', 4],
    ['a version twice', 2],
  ])('finds %s in the versions', async (_what, version) => {
    await store('Account-1', version, 'c', 4);
    expect(await faults(one, two, three, ['Account-1', 'c', 4])).toEqual([
      'The versions of 1 accounts are not 1 to n.',
    ]);
  });

  it('finds another amount', async () => {
    expect(await faults(one, two, ['Account-2', 'a', 30])).toEqual([
      '33 were deposited, and the balance is 6.',
    ]);
  });

  it('is none without a command', async () => {
    expect(await faults()).toContain('No command was answered.');
  });
});

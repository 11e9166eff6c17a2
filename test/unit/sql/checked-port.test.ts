import { describe, expect, it } from 'vitest';
import { checkedPort, checkSchema } from '../../../src/sql/migrations/checked-port.js';
import { migrationScript } from '../../../src/sql/migrations/migrations.js';
import type { SqlPort, SqlRow } from '../../../src/sql/sql-port.js';

const statement = { text: 'select 1', isConstant: true };

/** A database that answers one query after the other. */
function answering(...answers: readonly (readonly SqlRow[])[]): SqlPort {
  const left = [...answers];
  return { query: () => Promise.resolve((left.shift() ?? []) as readonly never[]) };
}

describe('a port that is checked', () => {
  it('is checked once, before the first statement', async () => {
    const did: string[] = [];
    const port: SqlPort = { query: async () => (did.push('query'), []) };
    const checked = checkedPort(port, async () => void did.push('check'));
    expect(did).toEqual([]);
    await Promise.all([checked.query(statement, []), checked.query(statement, [])]);
    await checked.query(statement, []);
    expect(did).toEqual(['check', 'query', 'query', 'query']);
  });

  it('is checked again after a check that failed, and not used before', async () => {
    let checks = 0;
    const checked = checkedPort(answering([['1']]), async () => {
      if (++checks === 1) throw new Error('no schema');
    });
    await expect(checked.query(statement, [])).rejects.toThrow('no schema');
    expect(await checked.query(statement, [])).toEqual([['1']]);
    expect(checks).toBe(2);
  });
});

/** As `migrate()` records them. */
const applied = Array.from(
  migrationScript('mine').matchAll(/insert into "mine"\.migrations .* values \('(.*)', '(.*)'\);/g),
  ([, name, checksum]) => [name as string, checksum as string] as const,
);

const right: SqlRow = ['160004', '16.4', 'UTF8', 'on', 'read committed'];

describe('the check of a server', () => {
  async function check(settings: SqlRow, migrations: readonly SqlRow[] = applied): Promise<string[]> {
    const warnings: string[] = [];
    await checkSchema(answering([settings], migrations), 'mine', (warning) => warnings.push(warning));
    return warnings;
  }

  it.each([
    right,
    ['140000', '14.0', 'UTF8', 'on', 'read committed'],
    ['180000', '18.0', 'UTF8', 'local', 'read committed'],
  ])('has nothing against %j', async (...settings) => {
    expect(await check(settings)).toEqual([]);
  });

  it('warns where a crash loses what was confirmed', async () => {
    expect(await check(['160004', '16.4', 'UTF8', 'off', 'read uncommitted'])).toEqual([
      expect.stringContaining('synchronous_commit is off'),
    ]);
  });

  it.each<[what: string, settings: SqlRow, migrations: readonly SqlRow[], says: string]>([
    ['is too old', ['139999', '13.9', 'UTF8', 'on', 'read committed'], applied, 'PostgreSQL 13.9'],
    ['holds not every text', ['160004', '16.4', 'LATIN1', 'on', 'read committed'], applied, 'LATIN1'],
    ['lacks a migration', right, [], 'schema "mine" lacks 0001_event_store'],
    [
      'has a migration of another text',
      right,
      [['0001_event_store', 'other']],
      '0001_event_store of schema "mine" was changed',
    ],
  ])('refuses one that %s', async (_what, settings, migrations, says) => {
    await expect(check(settings, migrations)).rejects.toMatchObject({
      code: 'SCHEMA_OUTDATED',
      message: expect.stringContaining(says) as unknown,
    });
  });

  it.each(['repeatable read', 'serializable'])(
    'refuses a default isolation of %s, with its name and what to do',
    async (isolation) => {
      await expect(check(['160004', '16.4', 'UTF8', 'on', isolation])).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(
          `^default_transaction_isolation is ${isolation}: .*alter role … set default_transaction_isolation`,
        ) as unknown,
      });
    },
  );
});

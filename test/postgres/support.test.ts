import { describe, expect, inject, test } from 'vitest';
import { connect, createDatabase, createRole, query } from '../support/postgres.js';

describe('the server', () => {
  test('answers, and syncs what it commits', async () => {
    expect(await query(inject('postgres').url, 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
  });
});

describe('a database', () => {
  test('is empty, in UTF-8, and another one at each call', async () => {
    const [one, other] = await Promise.all([createDatabase(), createDatabase('naïve "name" 100 %')]);

    await query(one.url, 'CREATE TABLE only_here ()');

    const sql = `SELECT current_database() AS name, to_regclass('only_here') AS found,
                 current_setting('server_encoding') AS encoding`;
    expect(await query(one.url, sql)).toEqual([{ name: one.name, found: 'only_here', encoding: 'UTF8' }]);
    expect(await query(other.url, sql)).toEqual([{ name: other.name, found: null, encoding: 'UTF8' }]);
  });
});

test('a role may log in and nothing else', async () => {
  const { directUrl } = await createDatabase();
  const role = await createRole();

  const client = await connect(role.as(directUrl));

  expect((await client.query('SELECT current_user AS name')).rows).toEqual([{ name: role.name }]);
  await expect(client.query('CREATE TABLE public.forbidden ()')).rejects.toThrow(/permission denied/);
});

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { advisoryLocks } from '../../../src/sql/advisory-locks.js';

it('the migrations take the advisory lock of appends, and no other', () => {
  const sql = readFileSync(
    new URL('../../../src/sql/migrations/0001_event_store.sql', import.meta.url),
    'utf8',
  );
  const numbers = [...sql.matchAll(/\b(\d{10}), hashoid/g)].map(([, number]) => Number(number));
  expect([...new Set(numbers)]).toEqual([advisoryLocks.append]);
});

import { StoreClosedError } from 'temporal-event-store';
import { describe, expect, it } from 'vitest';
import { retrying } from '../../../src/sql/retrying.js';
import { isPassing, isRefused, translateSqlError } from '../../../src/sql/sql-errors.js';

/** As a driver throws what the server said. */
function said(code: string, message = 'no'): Error {
  return Object.assign(new Error(message), { code, severity: 'ERROR' });
}

/** As a driver throws what the connection did. */
const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
const noPassword = new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string');

const passing = 'STORE_UNAVAILABLE';

describe('an error of a driver', () => {
  it.each([
    ['a deadlock', said('40P01'), passing],
    ['a serialization failure', said('40001'), passing],
    ['a shutdown', said('57P01'), passing],
    ['a full disk', said('53100'), passing],
    ['a lost connection', said('08006'), passing],
    ['an I/O error', said('58030'), passing],
    ['a corrupt page', said('XX001'), passing],
    ['a standby', said('25006'), passing],
    ['a timeout of a lock', said('55P03'), passing],
    ['no such database', said('3D000'), passing],
    ['a reset', reset, passing],
    ['something without a message', Object.assign(new Error(), { code: 'ECONNREFUSED' }), passing],
    ['something that is no error', 'gone', passing],
    ['null', null, passing],
    [
      'of a code that is none of the server',
      Object.assign(new Error('no'), { code: 7, severity: 'ERROR' }),
      passing,
    ],
    ['a word that only ends as SASL', new Error('it was not SASL'), passing],
    ['a text about authentication', said('22P02', 'authentication failed'), 'INVALID_ARGUMENT'],
    ['a wrong password', said('28P01'), 'STORE_ACCESS_DENIED'],
    ['a missing grant', said('42501'), 'STORE_ACCESS_DENIED'],
    ['no password', noPassword, 'STORE_ACCESS_DENIED'],
    ['a wrong password behind PgBouncer', said('08P01', 'SASL authentication failed'), 'STORE_ACCESS_DENIED'],
    ['an unknown user of PgBouncer', said('08P01', 'no such user'), 'STORE_ACCESS_DENIED'],
    ['another fault of PgBouncer', said('08P01', 'server conn crashed?'), passing],
    ['a missing table', said('42P01'), 'SCHEMA_OUTDATED'],
    ['a missing function', said('42883'), 'SCHEMA_OUTDATED'],
    ['a missing schema', said('3F000'), 'SCHEMA_OUTDATED'],
    ['a missing column', said('42703'), 'SCHEMA_OUTDATED'],
    ['a missing type', said('42704'), 'SCHEMA_OUTDATED'],
    ['a value that is none', said('22P02'), 'INVALID_ARGUMENT'],
    ['a duplicate', said('23505'), 'INVALID_ARGUMENT'],
    ['a password that is data', said('22P02', 'password'), 'INVALID_ARGUMENT'],
  ])('that is %s is typed', (_what, error, code) => {
    expect(translateSqlError(error)).toMatchObject({ code, cause: error });
    expect(isPassing(error)).toBe(code === passing);
    expect(isRefused(error)).toBe(code === 'INVALID_ARGUMENT');
  });

  it.each([
    ['typed already', new StoreClosedError('closed')],
    ['a defect', new TypeError('undefined is not a function')],
    ['a defect of another kind', new RangeError('Invalid array length')],
  ])('stays what it is when it is %s', (_what, error) => {
    expect(translateSqlError(error)).toBe(error);
    expect([isPassing(error), isRefused(error)]).toEqual([false, false]);
  });

  it('may be nothing', () => {
    expect(translateSqlError(undefined)).toMatchObject({ code: passing });
  });

  it('says what the server said, and its code', () => {
    expect(translateSqlError(said('53100', 'disk full'))).toMatchObject({
      message: expect.stringContaining('disk full (SQLSTATE 53100)') as unknown,
    });
  });

  it.each([
    [
      'the code where there is no message',
      Object.assign(new Error(), { code: 'ECONNREFUSED' }),
      'ECONNREFUSED',
    ],
    ['the value where it is no error', 'gone', 'gone'],
  ])('says %s', (_what, error, text) => {
    expect(translateSqlError(error)).toMatchObject({ message: expect.stringContaining(text) as unknown });
  });

  it('tells the commit id to ask again with, where the outcome is unknown', () => {
    expect(translateSqlError(reset, 'commit-1')).toMatchObject({
      commitId: 'commit-1',
      message: expect.stringContaining("'commit-1'") as unknown,
    });
    expect(translateSqlError(reset)).toMatchObject({
      commitId: undefined,
      message: expect.not.stringMatching(/commit id|SQLSTATE/) as unknown,
    });
  });
});

describe('a call that is made again', () => {
  const aMinute = (): number => performance.now() + 60_000;

  it.each([1, 2, 3])('gives what attempt %i gives', async (last) => {
    const attempts: number[] = [];
    const result = await retrying(async (attempt) => {
      attempts.push(attempt);
      if (attempt < last) throw reset;
      return `after ${attempt}`;
    }, aMinute());
    expect(result).toBe(`after ${last}`);
    expect(attempts).toEqual(Array.from({ length: last }, (_, index) => index + 1));
  });

  it.each([
    ['at once, when it would fail again', said('23505'), aMinute],
    ['when the time is up', reset, () => performance.now()],
    ['when the time is up before the next attempt', reset, () => performance.now() + 15],
  ])('throws the last error %s', async (_when, error, deadline) => {
    let attempts = 0;
    const call = retrying(async () => {
      attempts++;
      throw error;
    }, deadline());
    await expect(call).rejects.toBe(error);
    expect(attempts).toBe(1);
  });

  it('is not made at once', async () => {
    const started = performance.now();
    await retrying((attempt) => (attempt === 1 ? Promise.reject(reset) : Promise.resolve()), aMinute());
    expect(performance.now() - started).toBeGreaterThan(15);
  });

  it('is not made when the signal is aborted', async () => {
    const call = retrying(() => Promise.resolve('made'), aMinute(), AbortSignal.abort('enough'));
    await expect(call).rejects.toBe('enough');
  });
});

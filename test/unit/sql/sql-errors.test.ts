import { inspect } from 'node:util';
import { StoreClosedError } from 'temporal-event-store';
import { describe, expect, it } from 'vitest';
import { retrying } from '../../../src/sql/retrying.js';
import {
  isCorruption,
  isRetryableSqlError,
  isRefused,
  translateSqlError,
} from '../../../src/sql/sql-errors.js';

/** As a driver throws what the server said. */
function said(code: string, message = 'no'): Error {
  return Object.assign(new Error(message), { code, severity: 'ERROR' });
}

/** As a driver throws what the connection did. */
const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
const noPassword = new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string');

const unavailable = 'STORE_UNAVAILABLE';

describe('an error of a driver', () => {
  it('names statement_timeout, also where the server takes it for somebody', () => {
    const byUser = translateSqlError(said('57014', 'canceling statement due to user request'));
    expect(byUser).toMatchObject({
      code: unavailable,
      message: expect.stringMatching(
        /user request: by the statement timeout \(statement_timeout\).*57014/,
      ) as string,
    });
    const byTimeout = translateSqlError(said('57014', 'canceling statement due to statement timeout'));
    expect(byTimeout).toMatchObject({
      message: expect.stringMatching(/ statement timeout \(SQLSTATE/) as string,
    });
  });

  it.each([
    ['a deadlock', said('40P01'), unavailable],
    ['a serialization failure', said('40001'), unavailable],
    ['a shutdown', said('57P01'), unavailable],
    ['a full disk', said('53100'), unavailable],
    ['a lost connection', said('08006'), unavailable],
    ['an I/O error', said('58030'), unavailable],
    ['an internal error', said('XX000'), unavailable],
    ['a damaged page', said('XX001'), 'STORE_CORRUPTED'],
    ['a damaged index', said('XX002'), 'STORE_CORRUPTED'],
    ['a standby', said('25006'), unavailable],
    ['a timeout of a lock', said('55P03'), unavailable],
    ['no such database', said('3D000'), unavailable],
    ['a reset', reset, unavailable],
    ['something without a message', Object.assign(new Error(), { code: 'ECONNREFUSED' }), unavailable],
    ['something that is no error', 'gone', unavailable],
    ['null', null, unavailable],
    [
      'of a code that is none of the server',
      Object.assign(new Error('no'), { code: 7, severity: 'ERROR' }),
      unavailable,
    ],
    ['a word that only ends as SASL', new Error('it was not SASL'), unavailable],
    ['a text about authentication', said('22P02', 'authentication failed'), 'INVALID_ARGUMENT'],
    ['a wrong password', said('28P01'), 'STORE_ACCESS_DENIED'],
    ['a missing grant', said('42501'), 'STORE_ACCESS_DENIED'],
    ['no password', noPassword, 'STORE_ACCESS_DENIED'],
    ['a wrong password behind PgBouncer', said('08P01', 'SASL authentication failed'), 'STORE_ACCESS_DENIED'],
    ['an unknown user of PgBouncer', said('08P01', 'no such user'), 'STORE_ACCESS_DENIED'],
    ['another fault of PgBouncer', said('08P01', 'server conn crashed?'), unavailable],
    ['a missing table', said('42P01'), 'SCHEMA_OUTDATED'],
    ['a missing function', said('42883'), 'SCHEMA_OUTDATED'],
    ['a missing schema', said('3F000'), 'SCHEMA_OUTDATED'],
    ['a missing column', said('42703'), 'SCHEMA_OUTDATED'],
    ['a missing type', said('42704'), 'SCHEMA_OUTDATED'],
    ['a value that is none', said('22P02'), 'INVALID_ARGUMENT'],
    ['a duplicate', said('23505'), 'INVALID_ARGUMENT'],
    ['a password that is data', said('22P02', 'password'), 'INVALID_ARGUMENT'],
  ])('that is %s is typed', (_what, error, code) => {
    expect(translateSqlError(error)).toMatchObject({ code });
    expect(isRetryableSqlError(error)).toBe(code === unavailable);
    expect(isRefused(error)).toBe(['INVALID_ARGUMENT', 'STORE_CORRUPTED'].includes(code));
    expect(isCorruption(error)).toBe(code === 'STORE_CORRUPTED');
  });

  it('that the server did not report is the cause as it is', () => {
    expect(translateSqlError(reset)).toMatchObject({ cause: reset });
  });

  it('has in its cause what the server said, and no value of a row or a parameter', () => {
    const secret = 'DE89 3704';
    const error = Object.assign(
      said('23505', 'duplicate key value violates unique constraint "events_id_key"'),
      {
        ...{
          name: 'error',
          table: 'events',
          schema: 'event_store',
          constraint: 'events_id_key',
          routine: '_bt_check',
        },
        ...{ detail: `Key (id)=(${secret}) already exists.`, hint: secret, where: secret },
        ...{ internalQuery: secret, query: secret, params: [secret], queryOptions: { secret } },
      },
    );

    const { cause } = translateSqlError(error) as Error;

    expect(inspect(cause, { depth: null, showHidden: true })).not.toContain(secret);
    expect(cause).toBeInstanceOf(Error);
    expect(cause).toMatchObject({
      ...{ message: error.message, name: 'error', code: '23505', severity: 'ERROR', table: 'events' },
      ...{ schema: 'event_store', constraint: 'events_id_key', routine: '_bt_check' },
    });
    expect((cause as Error).stack).toMatch(/^error: duplicate key.*\n {4}at /);
  });

  it.each([
    ['22P02', 'invalid input syntax for type uuid: "DE89 3704"', 'invalid input syntax for type uuid'],
    [
      '22003',
      'value "DE89 3704" is out of range for type bigint',
      'value "…" is out of range for type bigint',
    ],
    ['22P02', 'ungültige Eingabesyntax für Typ uuid: »DE89 3704«', 'ungültige Eingabesyntax für Typ uuid'],
    ['22003', 'Wert »DE89 3704« ist außerhalb', 'Wert "…" ist außerhalb'],
    ['22008', 'date/time field value out of range: "DE89\n3704"', 'date/time field value out of range'],
    ['53100', 'could not extend file "base/1": No space', 'could not extend file "base/1": No space'],
  ])('of code %s says no value: %j', (code, message, kept) => {
    expect(translateSqlError(said(code, message))).toMatchObject({
      message: expect.stringContaining(`${kept} (SQLSTATE ${code})`) as unknown,
      cause: { message: kept },
    });
  });

  it('names the setting that keeps a server from taking writes', () => {
    expect(translateSqlError(said('25006', 'cannot execute INSERT'))).toMatchObject({
      code: unavailable,
      message: expect.stringContaining('default_transaction_read_only') as unknown,
    });
  });

  it('tells of damage which commit to look for, and not to try again', () => {
    expect(translateSqlError(said('XX001', 'invalid page in block 3'), 'commit-1')).toMatchObject({
      nonRetryable: true,
      message: expect.stringMatching(/invalid page in block 3 .*of no use.*'commit-1'/) as unknown,
    });
    expect(translateSqlError(said('XX002'))).toMatchObject({
      message: expect.not.stringContaining('commit id') as unknown,
    });
  });

  it.each([
    ['typed already', new StoreClosedError('closed')],
    ['a defect', new TypeError('undefined is not a function')],
    ['a defect of another kind', new RangeError('Invalid array length')],
  ])('stays what it is when it is %s', (_what, error) => {
    expect(translateSqlError(error)).toBe(error);
    expect([isRetryableSqlError(error), isRefused(error)]).toEqual([false, false]);
  });

  it('may be nothing', () => {
    expect(translateSqlError(undefined)).toMatchObject({ code: unavailable });
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

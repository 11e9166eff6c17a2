import { runInNewContext } from 'node:vm';
import { StoreClosedError } from 'temporal-event-store';
import { describe, expect, it } from 'vitest';
import { translateOpenError } from '../../../src/pglite/open-error.js';

describe('an error of opening an embedded database', () => {
  it('tells what PGlite said, also when that is of another realm, as under jest', () => {
    const error = runInNewContext(
      `Object.assign(new TypeError('no imports here'), { code: 'ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING_FLAG' })`,
    ) as unknown;
    expect(error).not.toBeInstanceOf(Error);
    expect(translateOpenError(error, '/events')).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      cause: error,
      message: expect.stringMatching(
        /database in \/events can't be opened: no imports here\. .*jest, start node with --experimental-vm-modules/,
      ) as unknown,
    });
  });

  it.each([
    [
      'a defect of WebAssembly',
      new RangeError('out of memory'),
      'STORE_UNAVAILABLE',
      /can't be opened: out of memory\.$/,
    ],
    [
      'an error of the server',
      Object.assign(new Error('no'), { code: '53100', severity: 'ERROR' }),
      'STORE_UNAVAILABLE',
      /no \(SQLSTATE 53100\)/,
    ],
    ['one that is typed already', new StoreClosedError('closed'), 'STORE_CLOSED', /^closed$/],
  ])('is typed: %s', (_what, error, code, message) => {
    expect(translateOpenError(error, undefined)).toMatchObject({
      code,
      message: expect.stringMatching(message) as unknown,
    });
  });
});

import {
  VersionConflictError,
  DomainError,
  findEventStoreError,
  InvalidArgumentError,
  isEventStoreError,
  StoreClosedError,
} from 'temporal-event-store';
import type * as library from 'temporal-event-store';
import { beforeAll, describe, expect, it, vi } from 'vitest';

const conflict = new VersionConflictError('Too late', {
  streamId: 'Account-1',
  expectedVersion: 1,
  actualVersion: 2,
});

/** The same module, loaded once more: what ESM beside CJS, or a bundle beside its host, amounts to. */
let copy: typeof library;

// Not in its test: mutation testing takes what runs there for what the test is about.
beforeAll(async () => {
  vi.resetModules();
  copy = await import('temporal-event-store');
});

function wrapped(cause: unknown, times: number): unknown {
  let error = cause;
  for (let level = 1; level <= times; level++) error = new Error(`Level ${level}`, { cause: error });
  return error;
}

function circle(...errors: Error[]): Error {
  errors.forEach((error, index) => {
    error.cause = errors[(index + 1) % errors.length];
  });
  return errors[0]!;
}

describe('an error of this library', () => {
  it('is recognised by its code, and by no other', () => {
    expect(isEventStoreError(conflict)).toBe(true);
    expect(isEventStoreError(conflict, 'VERSION_CONFLICT')).toBe(true);
    expect(isEventStoreError(conflict, 'COMMIT_MISMATCH')).toBe(false);
  });

  it('is found as it is, with its fields', () => {
    expect(findEventStoreError(conflict)).toBe(conflict);
    expect(findEventStoreError(conflict, 'VERSION_CONFLICT')?.actualVersion).toBe(2);
  });

  it('is recognised when another copy of the package threw it', () => {
    const error = new copy.VersionConflictError('Too late', {
      streamId: 'Account-1',
      expectedVersion: 'noStream',
      actualVersion: 3,
    });

    expect(error).not.toBeInstanceOf(VersionConflictError);
    expect(findEventStoreError(error, 'VERSION_CONFLICT')).toBe(error);
    expect(copy.findEventStoreError(conflict, 'VERSION_CONFLICT')).toBe(conflict);
  });

  it.each([1, 2, 50])('is found %i causes deep', (depth) => {
    expect(findEventStoreError(wrapped(conflict, depth), 'VERSION_CONFLICT')).toBe(conflict);
  });

  it('is found below another one when its code is asked for', () => {
    const rejected = new DomainError('No', { reason: 'NO' });
    const error = new StoreClosedError('Closed', { cause: wrapped(rejected, 1) });

    expect(findEventStoreError(error)).toBe(error);
    expect(findEventStoreError(error, 'DOMAIN_ERROR')).toBe(rejected);
    expect(findEventStoreError(error, 'VERSION_CONFLICT')).toBeUndefined();
  });

  it('is found in a chain of causes that turns in a circle', () => {
    const error = new InvalidArgumentError('Wrong');
    const first = circle(new Error('a'), new Error('b'), error);

    expect(findEventStoreError(first, 'INVALID_ARGUMENT')).toBe(error);
    expect(findEventStoreError(first, 'STORE_CLOSED')).toBeUndefined();
  });

  it.each([['itself', 1] as const, ['each other', 2] as const, ['a circle', 3] as const])(
    'is not seen in errors whose causes are %s',
    (_what, length) => {
      const errors = Array.from({ length }, (_, index) => new Error(String(index)));
      expect(isEventStoreError(circle(...errors))).toBe(false);
    },
  );

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a string', 'VERSION_CONFLICT'],
    ['a plain error', new Error('VERSION_CONFLICT')],
    ['an error with one of our codes', Object.assign(new Error('x'), { code: 'VERSION_CONFLICT' })],
    ['an error with one of our names', Object.assign(new Error('x'), { name: 'VersionConflictError' })],
    ['an error of node', Object.assign(new Error('x'), { code: 'ECONNREFUSED', errno: -111 })],
    ['a failure of another library', { type: 'other.VersionConflictError', message: 'x', details: [] }],
    ['a failure of no class of ours', { type: 'temporal-event-store.Nope', message: 'x', details: [] }],
    ['a failure named after a method of objects', { type: 'temporal-event-store.toString', message: 'x' }],
    ['a failure without a class', { type: 'temporal-event-store.', message: 'x' }],
    ['a brand that says no', { [Symbol.for('temporal-event-store/error')]: false, code: 'STORE_CLOSED' }],
    ['a function', () => conflict],
  ])('is not %s', (_what, lookalike) => {
    expect(isEventStoreError(lookalike)).toBe(false);
    expect(findEventStoreError(wrapped(lookalike, 1))).toBeUndefined();
  });
});

import { DomainError, EventStoreError, InvalidArgumentError, RetryLaterError } from 'temporal-event-store';
import { describe, expect, it } from 'vitest';
import { errorClasses } from '../../../src/core/errors/error-classes.js';
import { everyError } from '../fixtures/every-error.js';

describe('errors', () => {
  it.each(everyError)(
    '$name says its name and code, and carries its fields',
    ({ error, name, code, fields }) => {
      expect(error).toBeInstanceOf(EventStoreError);
      expect(error).toBeInstanceOf(Error);
      expect(error).toMatchObject({ name, code, ...fields });
      expect(String(error)).toBe(`${name}: ${error.message}`);
      expect(error.stack).toContain(error.message);
    },
  );

  it('have a class and a code each', () => {
    expect(everyError.map(({ name }) => name).sort()).toEqual(
      errorClasses.map(({ prototype }) => prototype.name).sort(),
    );
    expect(new Set(everyError.map(({ code }) => code)).size).toBe(everyError.length);
  });

  it.each(everyError)('$name keeps its cause', ({ error, fields }) => {
    const cause = new Error('why');
    const errorClass = error.constructor as new (message: string, fields: object) => EventStoreError;
    expect(new errorClass('x', { ...fields, cause }).cause).toBe(cause);
    expect(Object.hasOwn(error, 'cause')).toBe(false);
  });
});

describe('RetryLaterError', () => {
  it.each([0, 0.5, 30_000])('takes %d', (value) => {
    const error = new RetryLaterError('away', { retryAfter: value, done: value });
    expect(error).toMatchObject({ retryAfter: value, done: value });
  });

  it.each([-1, Number.NaN, Infinity, '5', null])('refuses %j', (value) => {
    for (const field of ['retryAfter', 'done']) {
      const create = (): EventStoreError => new RetryLaterError('away', { [field]: value });
      expect(create).toThrow(InvalidArgumentError);
      expect(create).toThrow(field);
    }
  });
});

describe('DomainError', () => {
  it.each([
    ['a Date', { at: new Date(0) }, 'details.at is a Date'],
    ['NaN', [1, Number.NaN], 'details[1] is NaN'],
    ['a bigint', 1n, 'details is a bigint'],
  ])('refuses %s in its details', (_what, details, message) => {
    const create = (): DomainError => new DomainError('No', { details: details as never });
    expect(create).toThrow(InvalidArgumentError);
    expect(create).toThrow(message);
  });
});

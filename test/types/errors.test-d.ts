import {
  DomainError,
  findEventStoreError,
  isEventStoreError,
  type VersionConflictError,
  type EventStoreError,
  type EventStoreErrorCode,
  type EventStoreErrorOf,
} from 'temporal-event-store';
import { describe, expectTypeOf, it } from 'vitest';

declare const error: unknown;

describe('findEventStoreError', () => {
  it('gives the class of a code', () => {
    const conflict = findEventStoreError(error, 'VERSION_CONFLICT');
    expectTypeOf(conflict).toEqualTypeOf<VersionConflictError | undefined>();
    expectTypeOf(conflict?.actualVersion).toEqualTypeOf<number | undefined>();
    expectTypeOf(findEventStoreError(error, 'DOMAIN_ERROR')).toEqualTypeOf<DomainError | undefined>();
  });

  it('gives a union that the code narrows, when no code is asked for', () => {
    const found = findEventStoreError(error);
    if (found?.code === 'INVALID_EVENT') expectTypeOf(found.path).toBeString();
    if (found?.code === 'COMMIT_EXISTS') expectTypeOf(found.commitIds).toEqualTypeOf<readonly string[]>();
  });

  it('refuses a code that does not exist', () => {
    // @ts-expect-error -- not a code
    findEventStoreError(error, 'CONFLICT');
  });

  it('knows a class for every code', () => {
    expectTypeOf<EventStoreErrorOf<EventStoreErrorCode>['code']>().toEqualTypeOf<EventStoreErrorCode>();
    expectTypeOf<EventStoreErrorOf<EventStoreErrorCode>>().toExtend<EventStoreError>();
  });
});

describe('isEventStoreError', () => {
  it('narrows to an error whose own code may be absent, since it may be a wrapper', () => {
    if (isEventStoreError(error)) {
      expectTypeOf(error).toExtend<Error>();
      expectTypeOf(error.code).toEqualTypeOf<EventStoreErrorCode | undefined>();
    }
  });
});

describe('DomainError', () => {
  it('takes JSON as its details', () => {
    new DomainError('No', { reason: 'NO', details: { balance: [1, null] } });
    // @ts-expect-error -- a Date is not JSON
    new DomainError('No', { details: { at: new Date() } });
  });
});

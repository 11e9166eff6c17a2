import {
  ApplicationFailure,
  ApplicationFailureCategory,
  DefaultFailureConverter,
  defaultFailureConverter,
  defaultPayloadConverter,
  TemporalFailure,
  type ProtoFailure,
} from '@temporalio/common';
import {
  CommandFailedError,
  DomainError,
  findEventStoreError,
  StoreUnavailableError,
  type EventStoreError,
} from 'temporal-event-store';
import { describe, expect, it } from 'vitest';
import { isRetryable } from '../../../src/core/errors/error-recognition.js';
import { everyError } from '../fixtures/every-error.js';

const encodingConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });

/** What Temporal does with an error between where it is thrown and where it is caught. */
function sendThroughTemporal(error: unknown, converter = defaultFailureConverter): Error {
  return converter.failureToError(failureOf(error, converter), defaultPayloadConverter);
}

function failureOf(error: unknown, converter = defaultFailureConverter): ProtoFailure {
  return converter.errorToFailure(error, defaultPayloadConverter);
}

describe.each([
  ['plain', defaultFailureConverter],
  ['with encoded attributes', encodingConverter],
])('an error that crosses Temporal, %s', (_how, converter) => {
  it.each(everyError)('$name comes back as itself', ({ error, name, code, fields }) => {
    const received = sendThroughTemporal(error, converter);
    const found = findEventStoreError(received, code);

    expect(received).toBeInstanceOf(ApplicationFailure);
    expect(found).toBeInstanceOf(error.constructor);
    expect(found).toMatchObject({ name, code, message: error.message, cause: received, ...fields });
  });

  it.each(everyError)('$name comes back as itself on its second crossing', ({ error, code, fields }) => {
    const received = sendThroughTemporal(sendThroughTemporal(error, converter), converter);
    expect(findEventStoreError(received, code)).toMatchObject({ message: error.message, ...fields });
  });

  it.each(everyError)(
    '$name comes back as itself when it is caught and thrown again',
    ({ error, code, fields }) => {
      const caught = findEventStoreError(sendThroughTemporal(error, converter));
      const received = sendThroughTemporal(caught, converter);
      expect(findEventStoreError(received, code)).toMatchObject({ message: error.message, ...fields });
    },
  );
});

describe("in Temporal's eyes", () => {
  it.each(everyError)('$name is an ApplicationFailure of its own type', ({ error, name }) => {
    expect(error instanceof TemporalFailure).toBe(true);
    expect(error instanceof ApplicationFailure).toBe(true);
    expect((error as unknown as ApplicationFailure).type).toBe(`temporal-event-store.${name}`);
  });

  it.each(everyError)('$name is retried: $isRetryable', ({ error, isRetryable: expected = false }) => {
    expect((error as unknown as ApplicationFailure).nonRetryable).toBe(!expected);
    expect((sendThroughTemporal(error) as ApplicationFailure).nonRetryable).toBe(!expected);
  });

  it.each(everyError)(
    '$name is known as retryable, before and after it crossed: $isRetryable',
    ({ error, isRetryable: expected = false }) => {
      expect(isRetryable(error)).toBe(expected);
      expect(isRetryable(new Error('Wrapped', { cause: error }))).toBe(expected);
      expect(isRetryable(sendThroughTemporal(error))).toBe(expected);
    },
  );

  it.each([new Error('Boom'), 'text', undefined])('%s is not ours, and so retryable', (thrown) => {
    expect(isRetryable(thrown)).toBe(true);
  });

  it.each(everyError)('$name is benign only when it is a rule of the domain', ({ error, code }) => {
    const category = code === 'DOMAIN_ERROR' ? ApplicationFailureCategory.BENIGN : undefined;
    expect((sendThroughTemporal(error) as ApplicationFailure).category).toBe(category);
  });

  it('comes from an SDK, with its fields and nothing else', () => {
    const error = Object.assign(new DomainError('No', { reason: 'R', details: [1] }), {
      name: 'Mine',
      balance: 5,
    });
    const { source, applicationFailureInfo } = failureOf(error);
    expect(source).toBe('TypeScriptSDK');
    expect(
      applicationFailureInfo?.details?.payloads?.map((each) => defaultPayloadConverter.fromPayload(each)),
    ).toEqual([{ code: 'DOMAIN_ERROR', reason: 'R', details: [1], balance: 5 }]);
  });

  it('may be told more than once whether it is retried', () => {
    const error = new DomainError('No') as unknown as { nonRetryable: boolean };
    for (const nonRetryable of [false, true, false]) {
      error.nonRetryable = nonRetryable;
      expect(error.nonRetryable).toBe(nonRetryable);
      expect(Object.keys(error)).not.toContain('nonRetryable');
    }
  });

  it('has the whole stack of where it was thrown, without the message', () => {
    function innermost(): EventStoreError {
      return new DomainError('On\n    two lines');
    }
    function outer(): EventStoreError {
      return innermost();
    }
    const lines = failureOf(outer()).stackTrace?.split('\n') ?? [];

    expect(lines[0]).toMatch(/^ {4}at innermost /);
    expect(lines[1]).toMatch(/^ {4}at outer /);
  });

  it('does not give away message and stack when the attributes are to be encoded', () => {
    const failure = failureOf(new DomainError('A secret'), encodingConverter);
    expect(failure).toMatchObject({ message: 'Encoded failure', stackTrace: '' });
  });

  it.each([
    ['a property that is not JSON', { balance: 10n, at: new Date(0) }],
    ['a cycle', { self: circular() }],
  ])('crosses with %s, which stays behind', (_what, properties) => {
    const error = Object.assign(new DomainError('No', { reason: 'R' }), properties);
    expect(findEventStoreError(sendThroughTemporal(error), 'DOMAIN_ERROR')).toMatchObject({
      message: 'No',
      reason: 'R',
    });
  });

  it('sends a lone surrogate in a message as the replacement character, since protobuf has no way to say it', () => {
    expect(failureOf(new DomainError('Half: \ud83d')).message).toBe('Half: \ufffd');
  });
});

describe('a subclass of DomainError', () => {
  class InsufficientFunds extends DomainError {
    override name = 'InsufficientFunds';

    constructor(readonly balance: number) {
      super(`Only ${balance} left`, { reason: 'INSUFFICIENT_FUNDS', details: { balance } });
    }
  }

  it('comes back as a DomainError, whatever it is named', () => {
    const found = findEventStoreError(sendThroughTemporal(new InsufficientFunds(5)), 'DOMAIN_ERROR');

    expect(found).toBeInstanceOf(DomainError);
    expect(found).toMatchObject({
      name: 'DomainError',
      message: 'Only 5 left',
      reason: 'INSUFFICIENT_FUNDS',
      details: { balance: 5 },
    });
  });

  it('is not retried, and benign', () => {
    expect(sendThroughTemporal(new InsufficientFunds(5))).toMatchObject({
      nonRetryable: true,
      category: 'BENIGN',
    });
  });
});

describe('the cause of an error that crosses Temporal', () => {
  it('stays behind: its message would pass by a converter that encodes messages', () => {
    const cause = new TypeError('secret', { cause: new DomainError('No') });
    const failure = (error: unknown) => JSON.stringify((error as { failure: unknown }).failure);

    expect(sendThroughTemporal(new CommandFailedError('Failed', { cause })).cause).toBeUndefined();
    expect(failure(new CommandFailedError('Failed', { cause }))).not.toContain('secret');
  });
});

it('ApplicationFailure.fromError may overwrite how it is retried', () => {
  const failure = ApplicationFailure.fromError(new StoreUnavailableError('away'), { nonRetryable: true });
  expect(sendThroughTemporal(failure as unknown as StoreUnavailableError)).toMatchObject({
    nonRetryable: true,
    type: 'temporal-event-store.StoreUnavailableError',
  });
});

function circular(): object {
  const value: Record<string, unknown> = {};
  value['self'] = value;
  return value;
}

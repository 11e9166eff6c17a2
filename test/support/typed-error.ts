import { inspect } from 'node:util';
import { EventStoreError } from 'temporal-event-store';
import { expect } from 'vitest';

/**
 * The error that a call ends with: one of the library's, and nowhere in it, nor in what caused it, one of the secrets.
 *
 * @param says how its message begins or what it contains
 */
export async function expectTypedError(
  call: Promise<unknown>,
  { code, says, secrets = [] }: { code: string; says: RegExp | string; secrets?: readonly string[] },
): Promise<EventStoreError> {
  const error: unknown = await call.then(
    () => 'no error',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EventStoreError);
  const typed = error as EventStoreError;
  expect(typed).toMatchObject({ code, message: expect.stringMatching(says) as string });
  for (const secret of secrets) {
    for (const text of everythingIn(typed)) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(encodeURIComponent(secret));
    }
  }
  return typed;
}

/** What logs may show of an error: its text, its fields and hidden fields, its JSON, and the same of its causes. */
function everythingIn(error: unknown): string[] {
  const texts = [
    inspect(error, { depth: null, showHidden: true, maxStringLength: null, maxArrayLength: null }),
    String(error),
    JSON.stringify(error),
  ];
  if (!(error instanceof Error)) return texts;
  const causes = [error.cause, ...(error instanceof AggregateError ? (error.errors as unknown[]) : [])];
  return [
    ...texts,
    error.stack ?? '',
    ...causes.flatMap((cause) => (cause === undefined ? [] : everythingIn(cause))),
  ];
}

import type { ConformanceExpect } from 'temporal-event-store/testing';

/** Enough of `expect` for the conformance suite in the workflow sandbox, where no test runner can be loaded. */
export const minimalExpect: ConformanceExpect = (actual) => ({
  toBe(expected) {
    if (!Object.is(actual, expected)) fail(actual, expected);
  },
  toEqual(expected) {
    if (!equals(actual, expected)) fail(actual, expected);
  },
  toMatchObject(expected) {
    if (!matches(actual, expected)) fail(actual, expected);
  },
});

function fail(actual: unknown, expected: unknown): never {
  throw new Error(`Expected ${show(expected)}, but got ${show(actual)}`);
}

function equals(actual: unknown, expected: unknown): boolean {
  if (!isObject(actual) || !isObject(expected)) return Object.is(actual, expected);
  if (Array.isArray(actual) !== Array.isArray(expected)) return false;
  const keys = presentKeys(actual);
  return (
    keys.length === presentKeys(expected).length && keys.every((key) => equals(actual[key], expected[key]))
  );
}

function matches(actual: unknown, expected: unknown): boolean {
  if (Array.isArray(expected) || !isObject(expected)) {
    return Array.isArray(expected)
      ? Array.isArray(actual) &&
          actual.length === expected.length &&
          expected.every((each, index) => matches(actual[index], each))
      : Object.is(actual, expected);
  }
  return isObject(actual) && Object.keys(expected).every((key) => matches(actual[key], expected[key]));
}

function presentKeys(value: Record<string, unknown>): string[] {
  return Object.keys(value).filter((key) => value[key] !== undefined);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function show(value: unknown): string {
  return value instanceof Error
    ? `${value.name}: ${value.message}`
    : ((JSON.stringify(value) as string | undefined)?.slice(0, 20_000) ?? 'undefined');
}

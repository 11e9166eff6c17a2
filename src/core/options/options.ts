import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { describeValue } from '../values/describe-value.js';
import { findNameProblem } from '../values/name.js';

/** Says what an option must be, when it isn't. */
export type OptionCheck = (value: unknown) => string | undefined;

/**
 * Checks the options of a call: an unknown option is a typing error that would otherwise do nothing in silence. An
 * option that is `undefined` counts as absent.
 *
 * @param required options that must not be absent; where there are any, so must the options
 * @throws {@link InvalidArgumentError}
 */
export function assertOptions(
  call: string,
  options: unknown,
  checks: Readonly<Record<string, OptionCheck>>,
  required: readonly string[] = [],
): void {
  if (options !== undefined && isPlainObject(options) !== undefined) {
    throw new InvalidArgumentError(
      `The options of ${call} must be an object, not ${describeValue(options)}.`,
    );
  }
  const given = (options ?? {}) as Readonly<Record<string, unknown>>;
  const names = Object.keys(given);
  for (const name of required.length === 0 ? names : new Set([...required, ...names])) {
    const value = given[name];
    if (value === undefined && !required.includes(name)) continue;
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (check === undefined) {
      throw new InvalidArgumentError(
        `${call} has no option '${name}'. It knows: ${Object.keys(checks).join(', ')}.`,
      );
    }
    const expected = check(value);
    if (expected !== undefined) {
      throw new InvalidArgumentError(
        `The option '${name}' of ${call} must be ${expected}, not ${describeValue(value)}.`,
      );
    }
  }
}

export const integerFrom =
  (least: number): OptionCheck =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= least ? undefined : `an integer from ${least}`;

export const oneOf =
  (...values: readonly string[]): OptionCheck =>
  (value) =>
    values.includes(value as string) ? undefined : `one of ${values.map((each) => `'${each}'`).join(', ')}`;

export const isName: OptionCheck = (value) => {
  const problem = findNameProblem(value);
  return problem === undefined
    ? undefined
    : `a string of 1 to 1,000 bytes without control characters (it ${problem})`;
};

export const isPlainObject: OptionCheck = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'an object';

export const isFunction: OptionCheck = (value) => (typeof value === 'function' ? undefined : 'a function');

/** Any AbortSignal, also a polyfill or one of another realm. */
export const isSignal: OptionCheck = (value) =>
  typeof (value as AbortSignal | null)?.aborted === 'boolean' ? undefined : 'an AbortSignal';

/** For an option that another function checks. */
export const validatedElsewhere: OptionCheck = () => undefined;

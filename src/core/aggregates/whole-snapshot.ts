import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { describeError } from '../values/describe-error.js';
import { findDifference } from '../values/find-difference.js';
import type { JsonValue } from '../values/json.js';
import type { LoadedState, StateBuilder } from './load-state.js';

/**
 * Checks that a snapshot restores the state it was made of, before it is stored and decides from then on. Only what is
 * visible from outside is compared, so no `#private` fields.
 *
 * @throws {@link InvalidArgumentError} with the field that differs
 */
export function assertSnapshotIsWhole<S>(
  builder: Pick<StateBuilder<S>, 'restore'>,
  { state, version }: LoadedState<S>,
  snapshot: JsonValue,
  category: string,
): void {
  let restored: S;
  try {
    restored = builder.restore({ version, state: JSON.parse(JSON.stringify(snapshot)) as JsonValue });
  } catch (cause) {
    throw new InvalidArgumentError(
      `The snapshot of ${category} can't be restored: ${describeError(cause)}. It was not saved. ${whatToDo}`,
      { cause },
    );
  }
  const found = findDifference(state, restored);
  if (found === undefined) return;
  throw new InvalidArgumentError(
    `A snapshot of ${category} doesn't hold the whole state: state${found.path} is ${found.left}, and restored ${found.right}. ` +
      `It was not saved. ${whatToDo}`,
  );
}

const whatToDo =
  "Override toSnapshot and restoreSnapshot so that they hold and restore all of it, or keep plain data in a decider's state; " +
  'then raise snapshotVersion.';

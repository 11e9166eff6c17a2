import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { isPromise } from '../values/is-promise.js';

/**
 * Checks what user code returned that has to be done when it returns.
 *
 * @throws {@link InvalidArgumentError} for a promise, whose failure is then nobody's to handle
 */
export function assertIsSynchronous(method: 'apply' | 'evolve', eventType: string, returned: unknown): void {
  if (!isPromise(returned)) return;
  void returned.then(undefined, () => undefined);
  throw new InvalidArgumentError(
    `'${method}' of the event '${eventType}' returned a promise. It changes the state at once: make it synchronous.`,
  );
}

import { Script } from 'node:vm';

/** Calls code of the application. */
export type Run = <T>(code: () => T) => T;

export const directly: Run = (code) => code();

/** Code of the application blocked the process for too long. */
export class InterruptedError extends Error {
  constructor(milliseconds: number) {
    super(`it let nothing else run for ${milliseconds} ms and was interrupted`);
  }
}

/** The global object of the process; a test runner's sandbox may have another. */
const processGlobal = new Script('globalThis').runInThisContext() as Record<symbol, (() => void) | undefined>;
const key = Symbol.for('temporal-event-store.interruptible');
const call = new Script(`globalThis[Symbol.for('${String(key.description)}')]()`);

/**
 * Interrupts code that blocks the process for longer than `milliseconds`, which only a `vm` script can in JavaScript.
 * Work after the code's own first `await` isn't covered. A call costs some 100 µs and a thread, so only suspects are
 * called this way.
 */
export function interruptible(milliseconds: number): Run {
  return <T>(code: () => T): T => {
    const outer = processGlobal[key];
    let result: { readonly value: T } | undefined;
    let failure: { readonly error: unknown } | undefined;
    processGlobal[key] = () => {
      try {
        result = { value: code() };
      } catch (error) {
        failure = { error };
      }
    };
    try {
      call.runInThisContext({ timeout: milliseconds });
    } catch {
      throw new InterruptedError(milliseconds);
    } finally {
      processGlobal[key] = outer;
    }
    if (failure !== undefined) throw failure.error;
    return (result as unknown as { readonly value: T }).value;
  };
}

/** Whether an interruption is among an error's causes. */
export function wasInterrupted(error: unknown): boolean {
  if (error instanceof InterruptedError) return true;
  return error instanceof Error && error.cause !== undefined && wasInterrupted(error.cause);
}

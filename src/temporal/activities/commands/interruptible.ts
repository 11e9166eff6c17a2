import { Script } from 'node:vm';

/** Calls code of the application. */
export type Run = <T>(code: () => T) => T;

export const directly: Run = (code) => code();

/** Code of the application held everything else up for too long. */
export class InterruptedError extends Error {
  constructor(milliseconds: number) {
    super(`it let nothing else run for ${milliseconds} ms and was interrupted`);
  }
}

/** The global object of the process: that of a test runner's sandbox may be another. */
const processGlobal = new Script('globalThis').runInThisContext() as Record<symbol, (() => void) | undefined>;
const key = Symbol.for('temporal-event-store.interruptible');
const call = new Script(`globalThis[Symbol.for('${String(key.description)}')]()`);

/**
 * Interrupts code that lets nothing else run for longer than that: nothing else in JavaScript can. What it does after an `await` of its
 * own isn't covered. A call costs some 100 µs, a thread of its own, so only code under suspicion is called so.
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

/** Among an error's causes. */
export function wasInterrupted(error: unknown): boolean {
  if (error instanceof InterruptedError) return true;
  return error instanceof Error && error.cause !== undefined && wasInterrupted(error.cause);
}

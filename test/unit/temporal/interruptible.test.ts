import { describe, expect, it } from 'vitest';
import {
  InterruptedError,
  interruptible,
  wasInterrupted,
} from '../../../src/temporal/activities/commands/interruptible.js';

const run = interruptible(100);

function forEver(): never {
  for (;;);
}

describe('code that is interruptible', () => {
  it.each([
    ['a loop', forEver],
    ['a regular expression', () => /^(a+)+$/.test(`${'a'.repeat(60)}b`)],
    ['a wait', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)],
    [
      'a loop that catches all errors',
      () => {
        try {
          return forEver();
        } catch {
          return 'caught';
        }
      },
    ],
  ])('is interrupted where it never ends: %s', (_what, code) => {
    expect(() => run(code as () => unknown)).toThrow(InterruptedError);
  });

  it('gives what it returns, and throws what it throws', () => {
    // However busy the machine is.
    const run = interruptible(60_000);
    expect(run(() => 7)).toBe(7);
    const error = new TypeError('no');
    expect(() =>
      run(() => {
        throw error;
      }),
    ).toThrow(error);
    expect(run(() => run(() => 'inner'))).toBe('inner');
  });

  it('is interrupted where it never ends within another', () => {
    expect(() => run(() => run(forEver))).toThrow(InterruptedError);
  });

  it('leaves what waits beside it alone', async () => {
    const beside = Promise.resolve().then(() => 'done');
    await Promise.resolve();
    expect(() => run(forEver)).toThrow(InterruptedError);
    expect(await beside).toBe('done');
  });

  it('is told from other errors, also as a cause', () => {
    expect(wasInterrupted(new Error('can not be built', { cause: new InterruptedError(1) }))).toBe(true);
    expect(wasInterrupted(new Error('other', { cause: 'text' }))).toBe(false);
  });
});

import { isPromise } from '../../core/values/is-promise.js';
import type { StoreUnderTest } from './suite.js';

/** More than any case makes. A reader that gets the same page again and again makes them in no time, and no timer sees it. */
const mostCalls = 1_000;

interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
}

/**
 * Runs a case to its end, or until it has waited too long or called too often: the error then says for which call. What the
 * case asks of its store after that is refused, so that nothing of it goes on beside the next case.
 *
 * An adapter that never gives the thread back can't be ended from inside its process.
 */
export async function runWithinLimits(
  timeout: number,
  createStore: () => StoreUnderTest | Promise<StoreUnderTest>,
  run: (store: StoreUnderTest) => Promise<void>,
): Promise<void> {
  const limits = new CaseLimits(timeout);
  await limits.run(async () => {
    const store = await limits.call({ name: 'createStore', args: [] }, createStore);
    await run(limited(store, limits) as StoreUnderTest);
  });
}

class CaseLimits {
  readonly #timeout: number;
  readonly #deadline: number;
  readonly #unanswered = new Set<Call>();
  #calls = 0;
  #lastCall: Call | undefined;
  #isOver = false;
  #failure: Error | undefined;

  constructor(timeout: number) {
    this.#timeout = timeout;
    this.#deadline = Date.now() + timeout;
  }

  async run(body: () => Promise<void>): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeIsUp = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(this.#giveUp(this.#whyTimeIsUp()));
      }, this.#timeout);
    });
    try {
      await Promise.race([body(), timeIsUp]);
      // The case took our error for one of the store's.
      this.#throwIfGivenUp();
    } catch (error) {
      this.#throwIfGivenUp();
      throw error;
    } finally {
      clearTimeout(timer);
      this.#isOver = true;
    }
  }

  call<T>(call: Call, run: () => T | Promise<T>): T | Promise<T> {
    if (this.#isOver) return Promise.reject(new Error('The case is over.'));
    // Counted and looked at here, too: a loop over answers that are there at once leaves timers no turn.
    if (++this.#calls > mostCalls) return Promise.reject(this.#giveUp(this.#whyTooManyCalls(call)));
    if (Date.now() > this.#deadline) return Promise.reject(this.#giveUp(this.#whyTimeIsUp()));
    this.#lastCall = call;
    const answer = run();
    if (isPromise(answer)) {
      this.#unanswered.add(call);
      const settled = (): void => void this.#unanswered.delete(call);
      answer.then(settled, settled);
    }
    return answer;
  }

  #throwIfGivenUp(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #giveUp(why: string): Error {
    const failure = new Error(why);
    this.#isOver = true;
    this.#failure ??= failure;
    return failure;
  }

  #whyTimeIsUp(): string {
    const [first, ...others] = this.#unanswered;
    if (first === undefined) {
      return (
        `The case has waited ${this.#timeout} ms for what did not come in ${this.#calls} calls; ` +
        `the last was ${describe(this.#lastCall)}.`
      );
    }
    const besides = others.length === 0 ? '' : `, nor have ${others.length} others`;
    return `${describe(first)} has not answered within the ${this.#timeout} ms of the case${besides}.`;
  }

  #whyTooManyCalls(call: Call): string {
    return (
      `The case has made ${mostCalls} calls and is not done; the last was ${describe(call)}. ` +
      'Page after page must lead on, until one says isEnd.'
    );
  }
}

/** A store, or its snapshots or checkpoints, with each call under the limits. What is no call stays as it is. */
function limited(target: object, limits: CaseLimits, path = ''): object {
  // Around nothing, so that a frozen adapter is no obstacle.
  return new Proxy(
    {},
    {
      get: (_, key) => {
        const value: unknown = Reflect.get(target, key);
        const name = `${path}${String(key)}`;
        if (typeof value === 'function') {
          const method = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
          // It isn't asked anything; it calls back.
          if (key === 'onAppend') return method;
          return (...args: unknown[]) => limits.call({ name, args }, () => method(...args));
        }
        if (key === 'snapshots' || key === 'checkpoints') return value && limited(value, limits, `${name}.`);
        return value;
      },
    },
  );
}

function describe({ name, args }: Call = { name: 'none', args: [] }): string {
  return `${name}(${args.map(show).join(', ')})`;
}

/** Short, and of whatever a case gives. */
function show(value: unknown): string {
  try {
    const text = (JSON.stringify(value) as string | undefined) ?? String(value);
    return text.length > 100 ? `${text.slice(0, 100)}…` : text;
  } catch {
    return '…';
  }
}

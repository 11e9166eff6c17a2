import type { AggregateClass } from '../../../core/aggregates/aggregate-root.js';
import { assertCommandList } from '../../../core/aggregates/commands.js';
import type { Decider } from '../../../core/aggregates/decider.js';
import { InvalidArgumentError } from '../../../core/errors/invalid-argument-error.js';
import { streamId } from '../../../core/store/stream-id.js';

/** A class that extends `AggregateRoot`, or a decider. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a registry holds deciders of every state and command
export type AnyAggregate = AggregateClass | Decider<any, any, any>;

/** The aggregates that a worker knows, by category. */
export class AggregateRegistry {
  readonly #byCategory = new Map<string, AnyAggregate>();

  /** @throws InvalidArgumentError when two have the same category, or a listed command doesn't exist */
  constructor(aggregates: readonly AnyAggregate[]) {
    for (const aggregate of aggregates) {
      const { category } = aggregate;
      streamId(category, 'any');
      assertCommandList(aggregate);
      const other = this.#byCategory.get(category);
      if (other !== undefined && other !== aggregate) {
        throw new InvalidArgumentError(`Two aggregates have the category '${category}'.`);
      }
      this.#byCategory.set(category, aggregate);
    }
  }

  find(category: string): AnyAggregate | undefined {
    return this.#byCategory.get(category);
  }

  /** The error for a category without an aggregate. */
  unknown(category: string): InvalidArgumentError {
    const known = [...this.#byCategory.keys()].join(', ') || 'none';
    return new InvalidArgumentError(
      `The aggregate '${category}' is not registered on this worker; registered: ${known}. ` +
        `Add it to createAggregateActivities, or to the plugin's aggregates.`,
    );
  }
}

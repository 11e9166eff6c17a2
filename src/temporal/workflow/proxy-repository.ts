import type { ActivityOptions } from '@temporalio/workflow';
import {
  AggregateRepository,
  type AggregateRepositoryOptions,
} from '../../core/aggregates/aggregate-repository.js';
import type { AggregateClass, AggregateRoot } from '../../core/aggregates/aggregate-root.js';
import type { EventRegistry } from '../../core/registry/event-registry.js';
import { withEvents } from '../../core/registry/with-events.js';
import { proxyEventStore } from './proxy-event-store.js';

/** Options of the activities, and of the repository. */
export interface ProxyRepositoryOptions extends Pick<AggregateRepositoryOptions, 'pageSize' | 'pageBytes'> {
  readonly activities?: ActivityOptions;
  /**
   * The registry of the worker's store, needed if its schemas change data. They are then applied in the workflow, so
   * that the aggregate decides on the stored form. Default: only the worker applies schemas.
   */
  readonly events?: EventRegistry;
}

/**
 * A repository in a workflow. The aggregate decides in the workflow's sandbox, so its rules are part of the workflow's
 * code: change them as you would change the workflow, with `patched` or worker versions.
 *
 * @example
 * const payments = proxyRepository(Payment);
 * export async function capture(id: string): Promise<void> {
 *   await payments.execute(id, (payment) => payment.capture());
 * }
 */
export function proxyRepository<A extends AggregateRoot>(
  aggregate: AggregateClass<A>,
  { activities, events, ...options }: ProxyRepositoryOptions = {},
): AggregateRepository<A> {
  const store = proxyEventStore(activities);
  return new AggregateRepository(
    events === undefined ? store : withEvents(store, events),
    aggregate,
    options,
  );
}

import { proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { EventStoreActivities, PublishRequest } from '../shared/activity-types.js';
import { rethrowTyped } from '../shared/remote-store.js';

/** Publishes the events that a workflow has appended. */
export interface WorkflowPublisher {
  /**
   * Hands events to the worker's `appendPublisher`, at least once: one that fails is tried again.
   *
   * @param range both ends inclusive
   * @throws InvalidArgumentError when the worker has no `appendPublisher`
   */
  publish(range: PublishRequest): Promise<void>;
}

/**
 * The worker's `appendPublisher` in a workflow, which so knows that the events are out before it goes on. The events are read from the store on the worker; they don't travel through the
 * workflow's history again.
 *
 * @param options of the activity; default: `startToCloseTimeout` of 1 minute, retried until it goes through
 */
export function proxyEventPublisher(options: ActivityOptions = {}): WorkflowPublisher {
  const { eventStorePublish } = proxyActivities<EventStoreActivities>({
    startToCloseTimeout: '1 minute',
    ...options,
  });
  return { publish: (range) => rethrowTyped(eventStorePublish(range)) };
}

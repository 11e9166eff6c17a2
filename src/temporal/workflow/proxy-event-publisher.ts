import { proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { AppendResult } from '../../core/event-store.js';
import type { EventStoreActivities } from '../shared/activity-types.js';
import { typed } from '../shared/remote-store.js';

/** Publishes, from a workflow, what it has appended. */
export interface CommitPublisher {
  /**
   * Hands the events of a commit to the worker's publisher, at least once: a failing publisher is tried again.
   *
   * @throws InvalidArgumentError when the worker has no publisher
   */
  publish(commit: AppendResult): Promise<void>;
}

/**
 * The worker's publisher in a workflow. The events are read from the store on the worker; they don't travel through the
 * workflow's history again.
 *
 * @param options of the activity; default: `startToCloseTimeout` of 1 minute, retried until it goes through
 */
export function proxyEventPublisher(options: ActivityOptions = {}): CommitPublisher {
  const { eventStorePublish } = proxyActivities<EventStoreActivities>({
    startToCloseTimeout: '1 minute',
    ...options,
  });
  return {
    publish: async ({ streamId, version, eventIds }) => {
      if (eventIds.length === 0) return;
      await typed(
        eventStorePublish({ streamId, fromVersion: version - eventIds.length + 1, toVersion: version }),
      );
    },
  };
}

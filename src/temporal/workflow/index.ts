/**
 * For workflows: the worker's event store, repositories and publisher, reached by activities.
 *
 * @packageDocumentation
 */
export { proxyAggregateClient } from './proxy-aggregate-client.js';
export type {
  ProxyAggregateClientOptions,
  WorkflowAggregateClient,
  WorkflowCommandOptions,
} from './proxy-aggregate-client.js';
export { proxyEventPublisher } from './proxy-event-publisher.js';
export type { WorkflowPublisher } from './proxy-event-publisher.js';
export { proxyEventStore } from './proxy-event-store.js';
export { proxyRepository } from './proxy-repository.js';
export type { ProxyRepositoryOptions } from './proxy-repository.js';
export type { PublishRequest } from '../shared/activity-types.js';

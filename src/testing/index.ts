/**
 * For tests: given/when/then for aggregates, deciders and decisions, a clock that you set, and the conformance suite for stores.
 *
 * @packageDocumentation
 */
export { describeEventStore } from './conformance/describe-event-store.js';
export type { Capability, ConformanceOptions } from './conformance/describe-event-store.js';
export type { ConformanceExpect, StoreUnderTest } from './conformance/suite.js';
export { fixedClock } from './fixed-clock.js';
export type { FixedClock } from './fixed-clock.js';
export { given } from './given.js';
export type { Expectation, Given, GivenEvent, Then } from './given.js';

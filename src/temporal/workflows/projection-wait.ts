import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import { integerFrom, isName } from '../../core/options/options.js';
import type { ProjectionActivities } from '../shared/activity-types.js';
import type { AwaitedPosition, ReachedPosition } from '../shared/projection-requests.js';
import { assertInput } from '../shared/requests.js';
import { reasonOf } from './projection-tasks.js';

/** Milliseconds of the first look, in which most new events are applied. */
const firstLook = 250;
/** Milliseconds above which a wait is split into two activities, so that a worker that dies costs half of it at most. */
const longWait = 10_000;
/** Milliseconds that a worker gets beyond the wait to answer. */
const reserve = 2_000;

/**
 * Waits until a projection has reached a position, and returns how far it is. `ProjectionClient.waitFor` uses this
 * workflow so that the projection's own history stays short.
 *
 * It costs 2 to 4 billable actions: its start, a local activity, and up to two activities, which a worker completes when it sees the
 * position.
 */
export async function eventStoreAwaitProjection(input: AwaitedPosition): Promise<ReachedPosition> {
  const { name, from, to, timeout } = checked(input);
  const end = Date.now() + timeout;
  const isEnough = ({ position }: ReachedPosition): boolean =>
    position !== undefined && (position >= from || Date.now() >= end);
  let reached = await lookFirst({ name, from, to, timeout: Math.min(firstLook, timeout) });
  for (let parts = timeout > longWait ? 2 : 1; parts > 0 && !isEnough(reached); parts--) {
    const rest = Math.max(end - Date.now(), 0);
    const limit = Math.ceil(rest / parts);
    const { eventStoreAwaitPosition } = proxyActivities<ProjectionActivities>({
      startToCloseTimeout: limit + reserve,
      scheduleToCloseTimeout: rest + reserve,
      retry: { initialInterval: '200 milliseconds', maximumInterval: '2 seconds' },
      // An eagerly dispatched activity would reach the same worker again, which could not see the position.
      allowEagerDispatch: reached.position !== undefined,
    });
    try {
      reached = await eventStoreAwaitPosition({ name, from, to, timeout: limit });
    } catch (error) {
      reached = { waitsFor: reasonOf(error) };
    }
  }
  return reached;
}

async function lookFirst(awaited: AwaitedPosition): Promise<ReachedPosition> {
  const { eventStoreAwaitPosition } = proxyLocalActivities<ProjectionActivities>({
    startToCloseTimeout: awaited.timeout + reserve,
    retry: { maximumAttempts: 1 },
  });
  try {
    return await eventStoreAwaitPosition(awaited);
  } catch (error) {
    return { waitsFor: reasonOf(error) };
  }
}

/** @throws InvalidArgumentError */
function checked(input: AwaitedPosition): AwaitedPosition {
  const { name, from, to, timeout } = assertInput('eventStoreAwaitProjection', input);
  const isNumber = integerFrom(0);
  if ([isName(name), isNumber(from), isNumber(to), isNumber(timeout)].every((fault) => fault === undefined)) {
    return input;
  }
  throw new InvalidArgumentError(
    'eventStoreAwaitProjection is started by ProjectionClient.waitFor, with { name, from, to, timeout }.',
  );
}

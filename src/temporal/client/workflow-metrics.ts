import { isGrpcServiceError, ServiceError, type Client } from '@temporalio/client';
import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import { StoreUnavailableError } from '../../core/errors/store-errors.js';
import {
  assertOptions,
  integerFrom,
  isName,
  isPlainObject,
  type OptionCheck,
} from '../../core/options/options.js';
import { TimeIsUpError, withinTime } from './within-time.js';

export interface WorkflowMetricsOptions<Family extends string = DefaultFamily> {
  /** Workflow types, by the family that counts them. Default: those of this library, without its projections. */
  readonly families?: Readonly<Record<Family, readonly string[]>>;
  /** How many of the latest completed executions of each family are timed. Default 100; 0 for none. */
  readonly sample?: number;
  /** Counts only executions started on this task queue. Default: the whole namespace. */
  readonly taskQueue?: string;
  /** Milliseconds to wait for the server. Default 30,000. */
  readonly timeout?: number;
}

export type DefaultFamily = 'eventStore' | 'command' | 'query';

/** Executions of a family of workflows. Runs that continued as new count once, by their last run. */
export interface FamilyMetrics {
  readonly active: number;
  readonly completed: number;
  /** Including those that timed out or were terminated. */
  readonly failed: number;
  readonly cancelled: number;
  /** Mean milliseconds from start to close of the sampled executions. Absent when there are none. */
  readonly averageExecutionTime?: number;
  /** Number of executions that the mean is taken over. */
  readonly sampled: number;
}

const defaultFamilies: Readonly<Record<DefaultFamily, readonly string[]>> = {
  eventStore: [
    'eventStoreAppend',
    'eventStoreAppendStreams',
    'eventStoreReadStream',
    'eventStoreReadAll',
    'eventStoreFindCommit',
  ],
  command: ['eventStoreCommandLane'],
  query: ['eventStoreStatistics', 'eventStoreTrends', 'eventStoreReplay'],
};

/**
 * How many workflows of each family are active, have completed or failed, and how long they take. The numbers come
 * from the server's visibility, which lags by about a second and forgets executions older than the namespace's
 * retention: they are for people and dashboards, not for decisions.
 *
 * @throws InvalidArgumentError for an unknown or malformed option
 * @throws StoreUnavailableError when Temporal gives no answer
 * @example
 * const { command, payments } = await workflowMetrics(new Client({ connection }), {
 *   families: { command: ['eventStoreCommandLane'], payments: ['paymentWorkflow'] },
 * });
 */
export async function workflowMetrics<Family extends string = DefaultFamily>(
  client: Client,
  options: WorkflowMetricsOptions<Family> = {},
): Promise<Record<Family, FamilyMetrics>> {
  assertOptions('workflowMetrics', { client }, { client: isPlainObject }, ['client']);
  assertOptions('workflowMetrics', options, {
    families: isFamilies,
    sample: integerFrom(0),
    taskQueue: isName,
    timeout: integerFrom(1),
  });
  const { families = defaultFamilies, sample = 100, taskQueue, timeout = 30_000 } = options;
  const count = (): Promise<readonly (readonly [string, FamilyMetrics])[]> =>
    Promise.all(
      Object.entries<readonly string[]>(families).map(async ([family, types]) => {
        const where =
          `WorkflowType IN (${types.map(quoted).join(', ')})` +
          (taskQueue === undefined ? '' : ` AND TaskQueue = ${quoted(taskQueue)}`);
        return [family, await familyMetrics(client, where, sample)] as const;
      }),
    );
  try {
    return Object.fromEntries(await withinTime(client, { timeout }, count)) as Record<Family, FamilyMetrics>;
  } catch (error) {
    const isUnanswered =
      error instanceof ServiceError || error instanceof TimeIsUpError || isGrpcServiceError(error);
    if (!isUnanswered) throw error;
    throw new StoreUnavailableError(
      'Temporal gives no answer about its workflows. Is the server up? Try again.',
      { cause: error },
    );
  }
}

async function familyMetrics(client: Client, where: string, sample: number): Promise<FamilyMetrics> {
  const [{ groups }, times] = await Promise.all([
    client.workflow.count(`${where} GROUP BY ExecutionStatus`),
    executionTimes(client, where, sample),
  ]);
  const total = (...statuses: readonly string[]): number =>
    groups
      .filter(({ groupValues: [status] }) => statuses.includes(String(status)))
      .reduce((sum, { count }) => sum + count, 0);
  return {
    active: total('Running'),
    completed: total('Completed'),
    failed: total('Failed', 'TimedOut', 'Terminated'),
    cancelled: total('Canceled'),
    ...(times.length > 0 && {
      averageExecutionTime: times.reduce((sum, time) => sum + time, 0) / times.length,
    }),
    sampled: times.length,
  };
}

/** Milliseconds that the latest completed executions took. */
async function executionTimes(client: Client, where: string, most: number): Promise<readonly number[]> {
  const times: number[] = [];
  if (most === 0) return times;
  const query = `${where} AND ExecutionStatus = 'Completed'`;
  for await (const { startTime, closeTime } of client.workflow.list({
    query,
    pageSize: Math.min(most, 1_000),
  })) {
    if (closeTime !== undefined) times.push(closeTime.getTime() - startTime.getTime());
    if (times.length >= most) break;
  }
  return times;
}

/** Quotes a string for the server's query language. */
function quoted(text: string): string {
  if (/['"\\]/.test(text)) {
    throw new InvalidArgumentError(`workflowMetrics: '${text}' contains a quote or a backslash.`);
  }
  return `'${text}'`;
}

const isFamilies: OptionCheck = (value) =>
  isPlainObject(value) ??
  (Object.values(value as object).every(
    (types) => Array.isArray(types) && types.length > 0 && types.every((type) => isName(type) === undefined),
  )
    ? undefined
    : 'lists of workflow types, with at least one in each');

import { workflowInfo } from '@temporalio/workflow';
import { uuidV5 } from '../../core/events/event-id.js';
import { joinNames } from '../shared/workflow-id.js';

/** Shared by all copies of this module in a bundle: two counters would give the same id twice. */
const counterKey = Symbol.for('temporal-event-store/commits');

/**
 * The commit id of the next append of this workflow. Replay and reset make the same ids again, so that stored commits
 * are found; continue-as-new, a retry of the workflow and another use of its id make new ones. A reset keeps
 * `originalExecutionRunId`, and all the others change it. See docs/decisions/0002.
 */
export function nextCommitId(): string {
  const { namespace, workflowId, runId, originalExecutionRunId } = workflowInfo();
  const counters = globalThis as { [counterKey]?: number };
  const ordinal = (counters[counterKey] ?? 0) + 1;
  counters[counterKey] = ordinal;
  const name = joinNames(namespace, workflowId);
  // A workflow id may be as long as a commit id.
  // A test server may leave `originalExecutionRunId` out. A reset then makes new ids: better than one id for two runs.
  return `${name.length > 300 ? uuidV5(name) : name}/${joinNames(originalExecutionRunId || runId, ordinal)}`;
}

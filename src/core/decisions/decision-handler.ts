import { assertSameHash, hashCommand, withCommandHash } from '../aggregates/command-hash.js';
import { executeOptionChecks, type ExecuteOptions } from '../aggregates/execute-command.js';
import { lastPosition, metadataOf, partsOf } from '../aggregates/stored-commit.js';
import type { DomainEvent, EventToAppend } from '../events/event.js';
import { assertOptions, integerFrom, isSignal } from '../options/options.js';
import type { AppendResult, EventStore } from '../store/event-store.js';
import type { Decision } from './decision.js';
import { executeDecision } from './execute-decision.js';

export interface DecisionHandlerOptions {
  /** Most events in a page. Default 500. */
  readonly pageSize?: number;
  /** Most bytes of JSON in a page, as `maxBytes` of a read. Default 4,000,000. */
  readonly pageBytes?: number;
}

/** Options of one command of a decision. */
export interface DecideOptions extends ExecuteOptions {
  /** Ends reads and pauses, with its reason. An append that is under way is waited for, as with that of `appendToStream`. */
  readonly signal?: AbortSignal;
}

export interface DecisionResult<E extends DomainEvent> {
  /**
   * The events that the command led to, as they are stored, those of the home stream first; undefined if the command had
   * taken effect before.
   */
  readonly events: readonly EventToAppend<E>[] | undefined;
  /**
   * What was appended to each stream, the home stream first; none if the command changed nothing. If it had taken effect
   * before, that of the first run.
   */
  readonly parts: readonly AppendResult[];
  /**
   * The position for `ProjectionClient.waitFor`: a read model that has reached it shows the effect of the command. It
   * is that of the command's last event; if it changed nothing, that up to which it was decided.
   */
  readonly position: number;
  /** True when the command had taken effect before. */
  readonly deduplicated: boolean;
}

export interface DecisionHandler<Command, E extends DomainEvent> {
  /**
   * Reads the events that the command depends on, decides it, and appends what it leads to on the condition that none of
   * these events was added meanwhile; else it reads on from there and decides again. Sent again with its `commandId` after
   * a success, the command stores nothing and returns where the first run stored its events.
   *
   * @throws whatever `decide` throws, when nothing was stored
   * @throws {@link AppendConditionFailedError} when others appended such events at every attempt
   * @throws {@link VersionConflictError} when a stream isn't at the version that the command expects of it
   * @throws {@link CommitMismatchError} when the `commandId` was used for another command
   * @throws {@link InvalidArgumentError} for a malformed filter or home stream, when nothing goes to the home stream, or when
   *   the store can't append to several streams, or can't tell up to where its events are complete
   */
  execute(command: Command, options?: DecideOptions): Promise<DecisionResult<E>>;
}

/**
 * Runs the commands of a decision on any {@link EventStore}; those that append to several streams on a store that has
 * `appendToStreams`.
 *
 * @throws InvalidArgumentError for an unknown option
 * @example
 * const enrolments = createDecisionHandler(store, enrol);
 * await enrolments.execute({ enrolmentId: '7', course: 'c1', student: 's1' }, { commandId: request.id });
 */
export function createDecisionHandler<State, Command, E extends DomainEvent>(
  store: EventStore,
  decision: Decision<State, Command, E>,
  options: DecisionHandlerOptions = {},
): DecisionHandler<Command, E> {
  assertOptions('createDecisionHandler', options, { pageSize: integerFrom(1), pageBytes: integerFrom(1) });
  return {
    async execute(command, executeOptions = {}) {
      assertOptions('execute', executeOptions, { ...executeOptionChecks, signal: isSignal });
      const { commandId, signal } = executeOptions;
      signal?.throwIfAborted();
      // Two decisions may have commands that look alike.
      const commandHash =
        commandId === undefined ? undefined : hashCommand({ decision: decision.name, command });
      const { execution } = await executeDecision(store, decision, command, {
        ...options,
        ...withCommandHash(executeOptions, commandHash),
      });
      if (execution.kind === 'decided') {
        const { events, settled } = execution.result;
        const { parts } = execution;
        return {
          events,
          parts,
          position: parts.length === 0 ? settled.position : lastPosition(parts),
          deduplicated: false,
        };
      }
      const parts = await storedParts(store, execution.commit, commandHash);
      return { events: undefined, parts, position: lastPosition(parts), deduplicated: true };
    },
  };
}

/**
 * All parts of an earlier run of the command, of which the one in its home stream was found.
 *
 * @throws CommitMismatchError when it was another command
 */
async function storedParts(
  store: EventStore,
  commit: AppendResult,
  commandHash: string | undefined,
): Promise<readonly AppendResult[]> {
  const metadata = await metadataOf(store, commit);
  assertSameHash(commit, metadata['commandHash'], commandHash);
  return partsOf(store, commit, metadata);
}

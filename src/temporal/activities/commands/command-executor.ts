import { LRUCache } from 'lru-cache';
import { CommandFailedError } from '../../../core/errors/command-errors.js';
import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import type { EventMetadata } from '../../../core/events/event.js';
import type { CommitChain } from '../../../core/store/append/commit-chain.js';
import { storedFormOf } from '../../../core/store/append/stored-form.js';
import type { EventStore } from '../../../core/store/event-store.js';
import { streamId } from '../../../core/store/stream-id.js';
import { describeError } from '../../../core/values/describe-error.js';
import { withTimeLimit } from '../../../core/values/time-limit.js';
import type {
  CommandOutcome,
  CommandReference,
  ExecuteRequest,
  LaneCommand,
} from '../../shared/command-lane.js';
import { toErrorMessage, type ErrorMessage } from '../../shared/error-message.js';
import { aggregateModelOf } from './aggregate-model.js';
import { findUnknown, type AggregateRegistry, type Registered } from './aggregate-registry.js';
import { AggregateSnapshots, type AggregateSnapshotsOptions } from './aggregate-snapshots.js';
import { homeOf } from './command-identity.js';
import type { CommandMetrics } from './command-metrics.js';
import { executeDecisions } from './execute-decisions.js';
import { executeOnStream } from './execute-on-stream.js';
import { findStored } from './find-stored.js';
import { directly, interruptible, type Run } from './interruptible.js';
import { loadAggregate } from './load-aggregate.js';
import { estimateMemory } from './memory-size.js';
import { executeOneByOne } from './one-by-one.js';
import { unanswered, unknownHere } from './outcomes.js';
import { PendingCommand } from './pending-command.js';
import { StateCache } from './state-cache.js';
import { isSameCommand, StreamQueue } from './stream-queue.js';

export interface CommandExecutorOptions extends AggregateSnapshotsOptions {
  readonly store: EventStore & CommitChain;
  readonly aggregates: AggregateRegistry;
  /** Most states kept in memory, and most bytes that they may take. */
  readonly maxStates: number;
  readonly maxStateBytes: number;
  /** Milliseconds that deciding one command of a lane may take. */
  readonly batchTimeout: number;
}

/**
 * How many milliseconds a command that was answered `open` is remembered for those who ask again; most commands, and
 * most bytes. One that is forgotten is found by its id in the store.
 */
const open = { ttl: 60_000, max: 10_000, maxSize: 16_000_000 };

/** Executes commands, and keeps the states of recently used aggregates at hand. */
export class CommandExecutor {
  readonly #options: CommandExecutorOptions;
  /** By stream. A state in use is taken out, so that nothing else changes it. */
  readonly #states: StateCache;
  /** By aggregate, or key of a decision, while it has commands. */
  readonly #queues = new Map<string, StreamQueue>();
  /** Commands that were open when their request was answered. */
  readonly #open = new LRUCache<string, PendingCommand>({
    ...open,
    sizeCalculation: ({ command }) => estimateMemory(command).bytes,
  });

  readonly #snapshots: AggregateSnapshots;

  constructor(options: CommandExecutorOptions) {
    this.#options = options;
    this.#snapshots = new AggregateSnapshots(options);
    this.#states = new StateCache(options.maxStates, options.maxStateBytes);
  }

  /**
   * Executes the commands of each aggregate, or key of a decision, separately, so that a broken or slow one affects no other. A command that
   * is under way already is joined.
   *
   * @param metadata of every event
   */
  async execute(
    request: ExecuteRequest,
    metadata: EventMetadata,
    metrics: CommandMetrics,
  ): Promise<readonly CommandOutcome[]> {
    const { category, commands, yieldAfter } = request;
    const timeLimit = yieldAfter === undefined ? undefined : this.#options.batchTimeout;
    const registered = this.#options.aggregates.find(category);
    if (registered === undefined) {
      const { aggregates } = this.#options;
      return commands.map(({ home }) =>
        unknownHere(aggregates.unknown(category, home === undefined ? 'aggregate' : 'decision')),
      );
    }
    const queues = new Set<StreamQueue>();
    const all = commands.map((command) => {
      const pending = new PendingCommand(category, command, metadata, timeLimit, request.isSuspect === true);
      const earlier = this.#open.get(keyOf(pending));
      if (earlier !== undefined && isSameCommand(earlier, pending) && !canBeTriedAgain(earlier)) {
        return earlier;
      }
      const queue = this.#queueOf(registered, command.id, metrics);
      queues.add(queue);
      return queue.enqueueOrJoin(pending);
    });
    // All at once, so that the store appends them together.
    for (const queue of queues) queue.run();
    const settled = Promise.all(all.map((pending) => pending.settled));
    if (yieldAfter === undefined) await settled;
    else await withTimeLimit(yieldAfter, settled, () => undefined);
    return all.map((pending) => {
      const outcome = pending.tell();
      if (outcome !== undefined) return outcome;
      this.#open.set(keyOf(pending), pending);
      return stillDeciding(pending.command);
    });
  }

  /**
   * Executes commands, one of which may hold this process up for good.
   *
   * @param begin called with each command before it is decided
   */
  executeSuspects(
    request: ExecuteRequest,
    metadata: EventMetadata,
    metrics: CommandMetrics,
    begin: (command: CommandReference) => Promise<void>,
  ): Promise<readonly CommandOutcome[]> {
    const { commands, yieldAfter = this.#options.batchTimeout } = request;
    return executeOneByOne({
      commands,
      timeLimit: yieldAfter,
      begin,
      execute: async (command, timeLimit) => {
        const alone = { ...request, commands: [command], yieldAfter: timeLimit };
        const [outcome] = await this.execute(alone, metadata, metrics);
        return outcome as CommandOutcome;
      },
      leaveOpen: stillDeciding,
    });
  }

  /** Answers stored commands as stored, and refuses the rest. */
  refuse({ category, commands }: ExecuteRequest, error: ErrorMessage): Promise<readonly CommandOutcome[]> {
    return Promise.all(
      commands.map(async (command) => {
        this.#options.onWarning('A command is refused that workers were lost over', {
          streamId: homeOf(category, command),
          command: command.name,
          commandId: command.commandId,
          error: error.message,
        });
        try {
          return (
            (await findStored(this.#options.store, category, command)) ?? ({ kind: 'failed', error } as const)
          );
        } catch (cause) {
          return unanswered(cause);
        }
      }),
    );
  }

  /** Refuses the commands that no worker knew, unless they are stored already. */
  async refuseUnknown(
    { category, commands }: ExecuteRequest,
    outcomes: readonly CommandOutcome[],
  ): Promise<readonly CommandOutcome[]> {
    return Promise.all(
      outcomes.map(async (outcome, index) => {
        if (outcome.kind !== 'open') return outcome;
        this.#options.onWarning('No worker knew a command', {
          category,
          id: commands[index]?.id,
          command: commands[index]?.name,
          error: outcome.error.message,
        });
        const command = commands[index] as LaneCommand;
        const stored = await findStored(this.#options.store, category, command);
        return stored ?? { kind: 'failed', error: outcome.error };
      }),
    );
  }

  #queueOf(registered: Registered, id: string, metrics: CommandMetrics): StreamQueue {
    const key = JSON.stringify([registered.target.category, id]);
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = new StreamQueue(
        (batch) =>
          registered.kind === 'decision'
            ? this.#decide(registered, batch, metrics)
            : this.#executeOn(registered, id, batch, metrics),
        () => {
          this.#queues.delete(key);
          if (registered.kind === 'aggregate') this.#states.giveUp(streamId(registered.target.category, id));
        },
      );
      this.#queues.set(key, queue);
    }
    return queue;
  }

  /** A command that computes longer than the limit without a pause, in a lane or not, is assumed never to end. */
  #runnerOf(batch: readonly PendingCommand[]): Run {
    return batch.some(({ isSuspect }) => isSuspect) ? interruptible(this.#options.batchTimeout) : directly;
  }

  #decide(
    registered: Extract<Registered, { readonly kind: 'decision' }>,
    batch: readonly PendingCommand[],
    metrics: CommandMetrics,
  ): Promise<void> {
    const { store, onWarning } = this.#options;
    const { decision, target } = registered;
    const attributes = (command: LaneCommand): Record<string, unknown> => ({
      decision: decision.name,
      streamId: command.home,
      command: command.name,
      commandId: command.commandId,
    });
    return executeDecisions(
      {
        store,
        decision,
        target,
        run: this.#runnerOf(batch),
        findUnknown: (command) => findUnknown(registered, command),
        onBlocked: (command, milliseconds) => {
          onWarning('A command blocked the event loop', { ...attributes(command), milliseconds });
        },
        onConflict: () => {
          metrics.onConflict();
        },
        onFailure: (error, command, staysOpen) => {
          onWarning(staysOpen ? whyOpen(error, 'decision') : 'A command of a decision failed', {
            ...attributes(command),
            error: describeError(error),
          });
        },
      },
      batch,
    );
  }

  #executeOn(
    registered: Extract<Registered, { readonly kind: 'aggregate' }>,
    id: string,
    batch: readonly PendingCommand[],
    metrics: CommandMetrics,
  ): Promise<void> {
    const { store, onWarning } = this.#options;
    const { aggregate } = registered;
    const stream = streamId(aggregate.category, id);
    const run = this.#runnerOf(batch);
    const model = aggregateModelOf(aggregate, id, storedFormOf(store), run);
    const snapshots = this.#snapshots.of(aggregate, model, stream);
    const states = this.#states;
    return executeOnStream(
      {
        store,
        streamId: stream,
        model,
        findUnknown: (command) => findUnknown(registered, command),
        onBlocked: ({ name, commandId }, milliseconds) => {
          onWarning('A command blocked the event loop', {
            streamId: stream,
            command: name,
            commandId,
            milliseconds,
          });
        },
        async take() {
          const cached = states.take(stream);
          metrics.onCacheLookup(cached !== undefined);
          const loaded =
            cached ?? (await loadAggregate(store, stream, model, onWarning, await snapshots.find()));
          snapshots.begin(loaded.version);
          return loaded;
        },
        catchUp: (from) => loadAggregate(store, stream, model, onWarning, { from }),
        keep: async (loaded) => {
          await snapshots.saveIfDue(loaded);
          // Only now may others change the state.
          states.keep(stream, loaded);
        },
        onConflict: () => {
          metrics.onConflict();
        },
        onFailure: (error, isOpen) => {
          onWarning(isOpen ? whyOpen(error, 'stream') : 'The commands of a stream failed', {
            streamId: stream,
            commands: batch.slice(0, 10).map(({ command }) => command.name),
            error: describeError(error),
          });
        },
      },
      batch,
    );
  }
}

function whyOpen(error: unknown, of: 'stream' | 'decision'): string {
  return findEventStoreError(error)?.code === 'EVENT_TOO_NEW'
    ? `A ${of} is left to a worker of a newer release`
    : `The store gave no answer to the commands of a ${of}`;
}

function keyOf({ category, command }: PendingCommand): string {
  return JSON.stringify([category, homeOf(category, command), command.commandId]);
}

/** Whether nothing on this worker settles the command any more: the store gave no answer, or the worker doesn't know it. */
function canBeTriedAgain({ outcome }: PendingCommand): boolean {
  return outcome?.kind === 'open';
}

function stillDeciding({ name }: LaneCommand): CommandOutcome {
  const error = new CommandFailedError(`The command '${name}' is still being decided.`);
  return { kind: 'open', reason: 'deciding', error: toErrorMessage(error) };
}

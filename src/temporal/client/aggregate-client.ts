import { hashCommand } from '../../core/aggregates/command-hash.js';
import {
  checkCommandToSend,
  type CommandNameOf,
  type CommandReceipt,
  type CommandTarget,
  type EventTypeOf,
  type StateOf,
} from '../../core/aggregates/commands.js';
import {
  addressOf,
  statelessMessage,
  toCommandCall,
  type ExecuteArguments,
  type IdOf,
  type CommandRecipient,
} from '../../core/decisions/command-call.js';
import { isDecision } from '../../core/decisions/decision-target.js';
import { CommitMismatchError } from '../../core/errors/append-errors.js';
import { CommandOutcomeUnknownError } from '../../core/errors/command-errors.js';
import { findEventStoreError } from '../../core/errors/error-recognition.js';
import { EventTooLargeError } from '../../core/errors/event-errors.js';
import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import { StoreClosedError, StoreOverloadedError } from '../../core/errors/store-errors.js';
import { utf8Length } from '../../core/values/json.js';
import { wait } from '../../core/values/wait.js';
import type { ReplayedState } from '../shared/activity-types.js';
import {
  aggregateLaneId,
  maxCommandBytes,
  overflowLaneId,
  receiptOf,
  shardLaneId,
  toLaneCommand,
  type CommandLaneInput,
  type CommandOutcome,
  type LaneCommand,
  type LaneUpdateOptions,
} from '../shared/command-lane.js';
import {
  checkClientOptions,
  checkCommandOptions,
  type AggregateClientOptions,
  type CommandOptions,
} from './aggregate-client-options.js';
import { CommandLaneQueue } from './command-lane-queue.js';
import { LaneTraffic } from './lane-traffic.js';
import { PendingCommand } from './pending-command.js';
import { isCrowded, sendCommands } from './send-commands.js';
import { TemporalEventStore, type ReplayOptions } from './temporal-event-store.js';
import { whyUnanswered } from './why-unanswered.js';
import { TimeIsUpError } from './within-time.js';

/**
 * Sends commands to aggregates, or those of a decision, through durable lanes: a command is decided and appended exactly
 * once, whichever process dies in between. The commands of this process that wait for the same lane travel together, and
 * those to an aggregate also commit together.
 *
 * @example
 * const client = new Client({ connection });
 * const accounts = new AggregateClient({ client, aggregate: Account, taskQueue: 'accounts' });
 * const { version } = await accounts.execute('7', 'deposit', { amount: 5 }, { commandId: request.id });
 */
export class AggregateClient<T extends CommandRecipient> {
  readonly #options: Required<AggregateClientOptions<T>> & { readonly target: CommandTarget };
  readonly #input: CommandLaneInput;
  readonly #queues = new Map<string, CommandLaneQueue>();
  readonly #traffic: LaneTraffic;
  /** By aggregate or home stream, and command id. */
  readonly #pending = new Map<string, PendingCommand>();
  #isClosed = false;
  #onDrained: (() => void) | undefined;

  /** @throws InvalidArgumentError for a missing, unknown or malformed option */
  constructor(options: AggregateClientOptions<T>) {
    this.#options = checkClientOptions(options);
    // Few processes use the lane of one aggregate; all use the lanes of a category.
    this.#traffic = new LaneTraffic(this.#options.lanes === 'per-aggregate' ? 1 : firstWidth);
    this.#input = { version: 1, category: this.#options.target.category };
  }

  /**
   * Sends a command and waits for its outcome: `execute(id, name, payload, options)` to an aggregate,
   * `execute(name, payload, options)` to a decision. The name is one of its `commands`, the payload JSON that fits the command's
   * schema.
   *
   * @throws DomainError when a rule says no · CommandFailedError when deciding throws anything else
   * @throws CommandOutcomeUnknownError when there is no answer in time: the command may have taken effect; ask again
   *   with its `commandId`
   * @throws CommitMismatchError when the `commandId` was used for another command
   * @throws VersionConflictError · AppendConditionFailedError when a stream isn't at the version that the command expects of
   *   it, or others appended what a decision depends on at every attempt
   * @throws InvalidArgumentError · EventTooLargeError · StoreOverloadedError · StoreClosedError, with nothing sent
   */
  async execute<Name extends CommandNameOf<T>>(
    ...args: ExecuteArguments<T, Name, CommandOptions>
  ): Promise<CommandReceipt<EventTypeOf<T>>> {
    const { aggregate, target } = this.#options;
    const call = toCommandCall<CommandOptions>(aggregate, args);
    const { name, payload, options = {} } = call;
    checkCommandOptions(options);
    const checked = checkCommandToSend(target, name, payload);
    // Awaited only if it is a promise, so that commands go in the order of the calls.
    const address = addressOf(aggregate, call, checked instanceof Promise ? await checked : checked);
    const { commandId = crypto.randomUUID(), metadata, causationId, timeout = 30_000, signal } = options;
    signal?.throwIfAborted();

    const command = toLaneCommand(address, commandId, name, payload, metadata, causationId);
    const { pending, isJoined } = this.#enqueueOrJoin(command, address.stream);
    const outcome = await pending
      .wait(timeout, signal, () => new TimeIsUpError(timeout))
      .catch(async (error: unknown) => {
        throw error instanceof TimeIsUpError ? await this.#timedOut(pending, timeout) : error;
      });
    const receipt = receiptOf<EventTypeOf<T>>(outcome);
    return isJoined ? { ...receipt, deduplicated: true } : receipt;
  }

  /**
   * The stored state of an aggregate, built by a workflow on the worker. A decision has none.
   *
   * @throws CommandFailedError · InvalidEventError at once, when the state can't be built from the events
   * @throws StoreUnavailableError when there is no answer in time, with the reason as far as it is known
   */
  async state(id: IdOf<T>, options: ReplayOptions = {}): Promise<ReplayedState<StateOf<T>>> {
    const { client, taskQueue, aggregate, target } = this.#options;
    if (isDecision(aggregate)) throw new InvalidArgumentError(statelessMessage(target.category));
    const store = new TemporalEventStore({ client, taskQueue });
    return store.replay({ aggregate: target.category, id }, options) as Promise<ReplayedState<StateOf<T>>>;
  }

  /** Takes no more commands, and waits for the outcomes of the earlier ones. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#pending.size > 0) {
      await new Promise<void>((resolve) => {
        const others = this.#onDrained;
        this.#onDrained = () => {
          others?.();
          resolve();
        };
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Queues a command, or joins the same command if it is pending already. */
  #enqueueOrJoin(
    command: LaneCommand,
    stream: string,
  ): { readonly pending: PendingCommand; readonly isJoined: boolean } {
    if (this.#isClosed) {
      throw new StoreClosedError('The AggregateClient is closed; the command was not sent.');
    }
    const { commandId } = command;
    const key = keyOf(command);
    const other = this.#pending.get(key);
    if (other !== undefined) {
      if (hashOf(other.command) === hashOf(command)) return { pending: other, isJoined: true };
      throw new CommitMismatchError(
        `The command id '${commandId}' is in use on '${stream}' for another command. Give each command an id of its own.`,
        { streamId: stream, commitId: commandId },
      );
    }
    const { maxPending } = this.#options;
    if (this.#pending.size >= maxPending) {
      throw new StoreOverloadedError(
        `${this.#pending.size} commands wait already; this one was not sent. Slow down, or try again later.`,
      );
    }
    const bytes = utf8Length(JSON.stringify(command));
    if (bytes > maxCommandBytes) {
      throw new EventTooLargeError(
        `The command '${command.name}' is ${bytes} bytes of JSON, more than ${maxCommandBytes}. Store large content elsewhere and refer to it.`,
        { size: bytes, limit: maxCommandBytes },
      );
    }
    const laneId = this.#laneIdOf(command.id);
    const queue = this.#queueOf(laneId);
    const pending = new PendingCommand(command, bytes, () => {
      queue.onAbandoned();
    });
    this.#pending.set(key, pending);
    queue.add(pending);
    return { pending, isJoined: false };
  }

  async #timedOut(
    { command, lane, lastError }: PendingCommand,
    timeout: number,
  ): Promise<CommandOutcomeUnknownError> {
    const { commandId, id, name } = command;
    const { client, taskQueue } = this.#options;
    const ours = findEventStoreError(lastError);
    const state = lane !== undefined ? 'It may have taken effect' : 'It was not sent yet';
    const why =
      ours === undefined
        ? await whyUnanswered({
            client,
            taskQueue,
            workflowId: overflowLaneId(this.#laneIdOf(id), lane ?? 0),
          })
        : `The worker last said: ${ours.message}`;
    return new CommandOutcomeUnknownError(
      `No outcome of the command '${name}' in ${timeout} ms. ${state}; ask again with the command id '${commandId}'. ${why}`,
      { commandId, cause: ours ?? lastError },
    );
  }

  #laneIdOf(id: string): string {
    const { target, taskQueue, lanes } = this.#options;
    return lanes === 'per-aggregate'
      ? aggregateLaneId(taskQueue, target.category, id)
      : shardLaneId(taskQueue, target.category, id, lanes);
  }

  #queueOf(laneId: string): CommandLaneQueue {
    const { maxBatch } = this.#options;
    let queue = this.#queues.get(laneId);
    if (queue === undefined) {
      queue = new CommandLaneQueue({
        maxBatch,
        chooseLane: () => this.#traffic.numberFor(laneId),
        send: (lane, commands, sendOptions, signal) =>
          this.#send(laneId, lane, commands, sendOptions, signal),
        onSettled: ({ command }) => {
          this.#pending.delete(keyOf(command));
          if (this.#pending.size === 0) this.#onDrained?.();
        },
        onEmpty: () => {
          this.#queues.delete(laneId);
        },
      });
      this.#queues.set(laneId, queue);
    }
    return queue;
  }

  async #send(
    laneId: string,
    number: number,
    commands: readonly LaneCommand[],
    options: LaneUpdateOptions,
    signal: AbortSignal,
  ): Promise<readonly CommandOutcome[]> {
    const { client, taskQueue } = this.#options;
    const pause = this.#traffic.pauseFor(laneId, number);
    if (pause > 0) await wait(pause);
    const began = performance.now();
    try {
      const reply = await sendCommands(
        { client, taskQueue, input: this.#input },
        overflowLaneId(laneId, number),
        commands,
        options,
        signal,
      );
      const isLate = options.isPatient !== true && performance.now() - began > refusedFor;
      this.#traffic.onReply(laneId, number, reply, isLate);
      return reply.outcomes;
    } catch (error) {
      if (isCrowded(error)) this.#traffic.onCrowded(laneId);
      throw error;
    }
  }
}

/** Lanes over which processes spread in place of one, until they know how crowded it is. */
const firstWidth = 16;

/**
 * An update answered after more than these milliseconds was refused at first. A lane answers sooner; the SDK hides a
 * full lane's refusal, and tries again after 1.4 seconds at least.
 */
const refusedFor = 1_350;

function keyOf({ id, home = id, commandId }: LaneCommand): string {
  return JSON.stringify([home, commandId]);
}

/** Tells apart two commands with one id. Computed only when there are two: it costs as much as all the rest. */
function hashOf({ name, payload }: LaneCommand): string | undefined {
  return hashCommand({ type: name, data: payload });
}

import { isSureToConflict, type ConflictCode } from '../../../core/aggregates/execute-command.js';
import type { LoadedState } from '../../../core/aggregates/load-state.js';
import type { EventStoreErrorOf } from '../../../core/errors/error-classes.js';
import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import type { EventStoreError } from '../../../core/errors/event-store-error.js';
import { appendAtOnce } from '../../../core/store/append/append-at-once.js';
import type { CommitChain } from '../../../core/store/append/commit-chain.js';
import type { AppendResult, EventStore } from '../../../core/store/event-store.js';
import { pauseAfter, type Backoff } from '../../../core/values/backoff.js';
import { wait } from '../../../core/values/wait.js';
import type { CommandOutcome, LaneCommand } from '../../shared/command-lane.js';
import type { AggregateModel } from './aggregate-model.js';
import { decideCommands, type DecidedCommand, type DecidedCommit } from './decide-commands.js';
import { toRefusal } from './deciding.js';
import { findStored } from './find-stored.js';
import {
  committedOutcome,
  concernsStore,
  failure,
  isOpen,
  unanswered,
  unchangedOutcome,
  unknownHere,
} from './outcomes.js';
import type { PendingCommand } from './pending-command.js';

/** Where the commands of one aggregate are executed. */
export interface StreamContext<S> {
  readonly store: EventStore & CommitChain;
  readonly streamId: string;
  readonly model: AggregateModel<S>;
  /** The error for a command that this worker doesn't know; undefined if it does. */
  findUnknown(command: LaneCommand): EventStoreError | undefined;
  /** Called with a command that blocked the process for more than a second. */
  readonly onBlocked: (command: LaneCommand, milliseconds: number) => void;
  /** The state from the cache or the store. The caller then owns it. */
  take(): Promise<LoadedState<S>>;
  /** Brings a state up to date with the events stored since. */
  catchUp(state: LoadedState<S>): Promise<LoadedState<S>>;
  /** Gives back a state that matches the stream at its version. */
  keep(state: LoadedState<S>): Promise<void>;
  onConflict(): void;
  /** Called with an error that keeps the commands from being decided or appended; `isOpen` if they may yet go through. */
  onFailure(error: unknown, isOpen: boolean): void;
}

/** Most rounds in which nothing is settled; it takes another append between each read and append of ours. */
export const maxFutileRounds = 30;
/** With jitter, so that two processes in conflict don't collide for ever. */
const backoff: Backoff = { first: 2, longest: 200, jitter: { part: 1, random: Math.random } };

/**
 * Executes commands of one aggregate: decides them in order and appends their events as one chain of commits, again
 * if another append came between. A command that appends to other streams, too, ends a chain, and its commit goes by
 * itself. The append itself reports commands that are stored already; only a command that is answered without an append
 * is looked up, so that one that goes through at once pays nothing.
 *
 * A failure affects only the commands of this aggregate. It is final only if nothing can have been stored: commands
 * stay `open` if the store gives no answer, or if only a worker of a newer release knows them.
 *
 * @param batch each command gets its outcome as soon as that is known
 */
export async function executeOnStream<S>(
  context: StreamContext<S>,
  batch: readonly PendingCommand[],
): Promise<void> {
  const round = new Rounds(context);
  // An unknown command holds up those behind it: they may depend on it.
  const unknown = batch.find(({ command }) => context.findUnknown(command) !== undefined);
  const known = unknown === undefined ? batch : batch.slice(0, batch.indexOf(unknown));
  try {
    await runRounds(round, known);
  } catch (error) {
    const staysOpen = isOpen(error);
    context.onFailure(error, staysOpen);
    for (const pending of known.filter(isUnsettled)) {
      if (staysOpen) pending.settle(unanswered(error));
      else await round.settleFailure(pending, error);
    }
  }
  if (unknown === undefined) return;
  const outcome = unknownHere(context.findUnknown(unknown.command) as EventStoreError);
  for (const pending of batch.slice(known.length)) pending.settle(outcome);
}

function isUnsettled({ outcome }: PendingCommand): boolean {
  return outcome === undefined;
}

async function runRounds<S>(round: Rounds<S>, batch: readonly PendingCommand[]): Promise<void> {
  let open = batch;
  let futileRounds = 0;
  while (open.length > 0) {
    await round.run(firstOfEach(open));
    const left = open.filter(isUnsettled);
    futileRounds = left.length < open.length ? 0 : futileRounds + 1;
    open = left;
    if (futileRounds >= maxFutileRounds) throw round.lastError;
    if (futileRounds > 0) await wait(pauseAfter(futileRounds, backoff));
  }
}

/** The state between the rounds of one batch. */
class Rounds<S> {
  lastError: unknown;
  readonly #context: StreamContext<S>;
  #loaded: LoadedState<S> | undefined;
  /** One command at a time, once a chain was refused for one of its commits: alone, it fails alone. */
  #limit = Infinity;
  /** The last commit to several streams was refused with it. */
  #conflict: EventStoreErrorOf<ConflictCode> | undefined;

  constructor(context: StreamContext<S>) {
    this.#context = context;
  }

  /** Answers a command of which nothing was stored in this batch. */
  async settleFailure(pending: PendingCommand, error: unknown): Promise<void> {
    try {
      // The command may have been stored by an earlier run.
      if (await this.#answerFromStore(pending)) return;
      pending.settle(failure(toRefusal(pending.command, error)));
    } catch (lookupError) {
      pending.settle(unanswered(lookupError));
    }
  }

  async run(batch: readonly PendingCommand[]): Promise<void> {
    const { model, onBlocked } = this.#context;
    const loaded = this.#loaded ?? (await this.#context.take());
    this.#loaded = undefined;
    const { decisions, state, isSpoilt } = await decideCommands(
      model,
      loaded,
      batch.slice(0, this.#limit),
      onBlocked,
    );
    const effective = decisions.filter((decision) => decision.kind === 'commit');
    const results = await this.#append(effective, loaded.version);
    if (results === undefined) {
      if (model.isImmutable) this.#loaded = await this.#context.catchUp(loaded);
      return;
    }
    model.commit(state);
    const version = results.at(-1)?.version ?? loaded.version;
    // A decorator may hide the store's schemas; their changes then show here.
    const isOutdated = isSpoilt || results.some((result) => result.changedBySchema);
    await this.#settleWithoutCommit(decisions, { state, version }, results.at(-1), isOutdated);
  }

  /**
   * Appends what was decided, and answers it.
   *
   * @returns the results in the aggregate's own stream; undefined when not all was appended, so that what was decided is
   *   not the state of the stream
   */
  async #append(
    effective: readonly DecidedCommit[],
    expectedVersion: number,
  ): Promise<readonly AppendResult[] | undefined> {
    const { store, streamId } = this.#context;
    const chain = effective.filter(({ others }) => others.length === 0);
    let results: readonly AppendResult[] = [];
    if (chain.length > 0) {
      try {
        const commits = chain.map(({ commit }) => commit);
        results = await store.appendCommits(streamId, commits, { expectedVersion });
      } catch (error) {
        await this.#onRefusedAppend(error, chain);
        return undefined;
      }
    }
    for (const [index, { pending, commit }] of chain.entries()) {
      pending.settle(committedOutcome(commit.events, [results[index] as AppendResult], false));
    }
    const last = effective.at(-1);
    if (last === undefined || last.others.length === 0) return results;
    const own = await this.#appendToStreams(last, results.at(-1)?.version ?? expectedVersion);
    return own && [...results, own];
  }

  /** @returns the result in the aggregate's own stream; undefined when nothing was appended */
  async #appendToStreams(
    { pending, commit, others }: DecidedCommit,
    expectedVersion: number,
  ): Promise<AppendResult | undefined> {
    const { store, streamId } = this.#context;
    const { commitId, events, metadata } = commit;
    try {
      if (this.#conflict !== undefined && isSureToConflict(this.#conflict, others)) throw this.#conflict;
      const appends = [{ streamId, expectedVersion, events }, ...others];
      const parts = await appendAtOnce(store, appends, { commitId, ...(metadata && { metadata }) });
      const [own] = parts as readonly [AppendResult];
      if (!own.deduplicated) {
        const all = appends.flatMap((append) => append.events);
        pending.settle(committedOutcome(all, parts, false));
        return own;
      }
      // It may have been decided on a state that held its events.
      await this.#answerFromStore(pending);
    } catch (error) {
      await this.#onRefusedCommit(error, pending);
    }
    return undefined;
  }

  /** Answers commands that appended nothing: only on a current state, and from the store if they are stored already. */
  async #settleWithoutCommit(
    decisions: readonly DecidedCommand[],
    decided: LoadedState<S>,
    appended: AppendResult | undefined,
    isSpoilt: boolean,
  ): Promise<void> {
    const rest = decisions.filter((decision) => decision.kind !== 'commit');
    const { store, streamId } = this.#context;
    const { version } = decided;
    const end = appended ?? (rest.length === 0 ? undefined : await endOf(store, streamId));
    const isCurrent = end === undefined || end.version === version;
    if (isCurrent) {
      for (const decision of rest) {
        if (await this.#answerFromStore(decision.pending)) continue;
        decision.pending.settle(outcomeWithoutCommit(decision, end?.position ?? 0));
      }
    }
    if (isSpoilt) return;
    if (isCurrent) await this.#context.keep(decided);
    else this.#loaded = await this.#context.catchUp(decided);
  }

  /** @throws the error, when it concerns the store and not one of the commits */
  async #onRefusedAppend(error: unknown, effective: readonly DecidedCommit[]): Promise<void> {
    const ours = findEventStoreError(error);
    this.lastError = ours ?? error;
    switch (ours?.code) {
      case 'VERSION_CONFLICT':
        this.#context.onConflict();
        return;
      case 'COMMIT_EXISTS':
        for (const { pending } of effective) {
          if (ours.commitIds.includes(pending.command.commandId)) await this.#answerFromStore(pending);
        }
        return;
    }
    if (ours === undefined || concernsStore(ours)) throw error;
    if (effective.length > 1) this.#limit = 1;
    else for (const { pending } of effective) pending.settle(failure(ours));
  }

  /**
   * What is done when a commit to several streams was refused.
   *
   * @throws the error, when it concerns the store and not the commit
   */
  async #onRefusedCommit(error: unknown, pending: PendingCommand): Promise<void> {
    const ours = findEventStoreError(error);
    this.lastError = ours ?? error;
    if (ours === undefined || concernsStore(ours)) throw error;
    if (ours.code !== 'VERSION_CONFLICT' || ours === this.#conflict) {
      await this.settleFailure(pending, ours);
      return;
    }
    this.#conflict = ours;
    this.#context.onConflict();
  }

  /** @returns whether the command is stored already */
  async #answerFromStore(pending: PendingCommand): Promise<boolean> {
    const outcome = await findStored(this.#context.store, pending.category, pending.command);
    if (outcome === undefined) return false;
    pending.settle(outcome);
    return true;
  }
}

/** The last event of a stream. */
export async function endOf(
  store: EventStore,
  streamId: string,
): Promise<{ readonly version: number; readonly position: number }> {
  const { version, events } = await store.readStream(streamId, { direction: 'backward', limit: 1 });
  return { version, position: events[0]?.position ?? 0 };
}

/** @param position of the last event of the stream */
function outcomeWithoutCommit(
  decision: Exclude<DecidedCommand, DecidedCommit>,
  position: number,
): CommandOutcome {
  return decision.kind === 'nothing' ? unchangedOutcome(decision.version, position) : failure(decision.error);
}

/** Leaves out copies of a command: they are answered after it, from the store. */
function firstOfEach(batch: readonly PendingCommand[]): readonly PendingCommand[] {
  const seen = new Set<string>();
  return batch.filter(({ command: { commandId } }) => !seen.has(commandId) && seen.add(commandId));
}

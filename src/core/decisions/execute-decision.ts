import { assertIsSynchronous } from '../aggregates/assert-is-synchronous.js';
import { splitDecided, toAppends, type Decided } from '../aggregates/decided-appends.js';
import { executeCommand, type Execution, type InnerExecuteOptions } from '../aggregates/execute-command.js';
import { asDecidedAppends } from '../aggregates/raised-events.js';
import type { DomainEvent, EventToAppend } from '../events/event.js';
import { checkConditionFilter } from '../store/append/append-condition.js';
import type { StreamAppend } from '../store/append/multi-stream-appends.js';
import { storedFormOf } from '../store/append/stored-form.js';
import type { EventFilter, EventStore, SettledPosition } from '../store/event-store.js';
import { assertStreamId } from '../store/stream-id.js';
import type { Decision, FilteredEvent } from './decision.js';
import { foldEvents, type Fold, type FoldedState } from './fold-events.js';

export interface ExecuteDecisionOptions extends InnerExecuteOptions {
  readonly pageSize?: number;
  readonly pageBytes?: number;
}

/** What a decision led to. */
export interface DecisionOutcome<E extends DomainEvent> {
  /** As they are stored, those of the home stream first. */
  readonly events: readonly EventToAppend<E>[];
  /** Up to where it was decided. */
  readonly settled: SettledPosition;
}

/**
 * Reads what a command depends on, decides it, and appends on the condition that this is still all; else it reads on from
 * there. The metadata in the options hold the command's hash.
 */
export async function executeDecision<State, Command, E extends DomainEvent>(
  store: EventStore,
  decision: Decision<State, Command, E>,
  command: Command,
  { pageSize, pageBytes, ...options }: ExecuteDecisionOptions,
): Promise<{ readonly home: string; readonly execution: Execution<DecisionOutcome<E>> }> {
  const home = decision.home(command);
  assertStreamId(home);
  const filter = checkConditionFilter(decision.filter(command), `the decision '${decision.name}'`);
  const fold = foldOf(decision, command, { pageSize, pageBytes, filter, signal: options.signal });
  const form = storedFormOf(store);
  let known: FoldedState<State> | undefined;
  const execution = await executeCommand(store, options, {
    home,
    turns: filter.map(turnOf),
    load: async () => (known = await foldEvents(store, fold, known)),
    decide: async ({ state, settled }) => {
      const decided = appendsOf(home, await decision.decide(state, command));
      const appends = await asDecidedAppends(form, decided);
      return {
        basis: { condition: { filter, after: settled } },
        appends,
        result: { events: appends.flatMap(({ events }) => events), settled },
      };
    },
  });
  return { home, execution };
}

function foldOf<State, Command, E extends DomainEvent>(
  decision: Decision<State, Command, E>,
  command: Command,
  options: Omit<Fold<State>, 'create' | 'apply'>,
): Fold<State> {
  return {
    ...options,
    create: () => decision.initialState(command),
    apply(state, event) {
      const next = decision.evolve(state, event as unknown as FilteredEvent<E>, command);
      assertIsSynchronous('evolve', event.type, next);
      return next;
    },
  };
}

/** Decisions on a tag are in each other's way; a store lets them wait for each other by it, too. */
function turnOf(filter: EventFilter): string {
  return filter.tags?.[0] ?? JSON.stringify(filter);
}

function appendsOf<E extends DomainEvent>(home: string, decided: Decided<E>): readonly StreamAppend<E>[] {
  const parts = splitDecided(decided);
  const { own, others } = parts;
  return own.length === 0 && others[0]?.streamId === home ? others : toAppends(home, parts);
}

import { splitDecided, type Decided } from '../../../core/aggregates/decided-appends.js';
import type { DomainCommand } from '../../../core/aggregates/decider.js';
import type { Decision } from '../../../core/decisions/decision.js';
import { CommandFailedError } from '../../../core/errors/command-errors.js';
import { findEventStoreError } from '../../../core/errors/error-recognition.js';
import type { EventStoreError } from '../../../core/errors/event-store-error.js';
import { InvalidArgumentError } from '../../../core/errors/invalid-argument-error.js';
import type { DomainEvent } from '../../../core/events/event.js';
import { describeError } from '../../../core/values/describe-error.js';
import type { LaneCommand } from '../../shared/command-lane.js';
import type { AnyDecision } from './aggregate-registry.js';
import { findTooLarge, isLong, timed, toRefusal, within } from './deciding.js';
import type { Run } from './interruptible.js';
import type { PendingCommand } from './pending-command.js';

/** How the functions of a decision are called. */
export interface DecisionGuard {
  /** Calls the code of the application. */
  readonly run: Run;
  /** Called with a command that blocked the process for more than a second. */
  readonly onBlocked: (command: LaneCommand, milliseconds: number) => void;
  /** Called with what `decide` refuses the command with, before it is thrown. */
  readonly onRefusal: (error: EventStoreError) => void;
}

/**
 * A decision for one command that keeps what a lane promises: each function can be interrupted, what it throws is typed and
 * says what failed, and deciding has a time limit.
 */
export function guardedDecision(
  decision: AnyDecision,
  { command, timeLimit }: PendingCommand,
  { run, onBlocked, onRefusal }: DecisionGuard,
): Decision<unknown, DomainCommand, DomainEvent> {
  const { name } = decision;
  const call = <T>(what: string, code: () => T): T => {
    try {
      return run(code);
    } catch (error) {
      throw new CommandFailedError(
        `The command '${command.name}' of ${name} can't be decided: ${what} failed with ${describeError(error)}. Nothing was stored.`,
        { cause: findEventStoreError(error) ?? error },
      );
    }
  };
  const decide = async (state: unknown, data: DomainCommand): Promise<Decided<DomainEvent>> => {
    const { returned, blockedFor } = timed(
      run,
      () => decision.decide(state, data) as Decided<DomainEvent> | Promise<Decided<DomainEvent>>,
    );
    const decided = await returned;
    if (isLong(blockedFor)) onBlocked(command, Math.round(blockedFor));
    const { own, others } = splitDecided(decided);
    const tooLarge = findTooLarge(command, [...own, ...others.flatMap(({ events }) => events)]);
    if (tooLarge !== undefined) throw tooLarge;
    return decided;
  };
  return {
    name,
    home(data) {
      const home = call(`'home'`, () => decision.home(data));
      if (home !== command.home) throw otherHome(name, command, home);
      return home;
    },
    filter: (data) => call(`'filter'`, () => decision.filter(data)),
    initialState: (data) => call(`'initialState'`, () => decision.initialState(data) as unknown),
    evolve: (state, event, data) =>
      call(
        `event ${event.position}, '${event.type}' of '${event.streamId}',`,
        () => decision.evolve(state, event, data) as unknown,
      ),
    async decide(state, data) {
      try {
        return await within(timeLimit, command, decide(state, data));
      } catch (error) {
        const refusal = toRefusal(command, error);
        onRefusal(refusal);
        throw refusal;
      }
    },
  };
}

/** Stored in another stream, the command would not be found by those who send it again, and take effect twice. */
function otherHome(name: string, command: LaneCommand, home: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `The command '${command.name}' of ${name} was sent with '${command.home}' as its home stream, and on this worker that is '${home}'. ` +
      `Nothing was stored. The home stream of a command stays the same in all releases; give a decision with another one another name.`,
  );
}

import { TurnQueue } from '../../../core/values/turn-queue.js';
import type { CommandOutcome, CommandReference, LaneCommand } from '../../shared/command-lane.js';

/** Shared by the whole process, so that the last named command is the one that holds it up. */
const turns = new TurnQueue();

export interface OneByOneOptions {
  readonly commands: readonly LaneCommand[];
  /** Milliseconds after which the remaining commands are left open. */
  readonly timeLimit: number;
  /** Called before each command. */
  readonly begin: (command: CommandReference) => Promise<void>;
  readonly execute: (command: LaneCommand, timeLimit: number) => Promise<CommandOutcome>;
  /** The outcome of a command that had no turn. */
  readonly leaveOpen: (command: LaneCommand) => CommandOutcome;
}

/** Executes commands one after the other. Behind one that stays open, those of its aggregate stay open, too. */
export async function executeOneByOne(options: OneByOneOptions): Promise<readonly CommandOutcome[]> {
  const { commands, timeLimit, begin, execute, leaveOpen } = options;
  const end = performance.now() + timeLimit;
  const behindOpen = new Set<string>();
  const outcomes: CommandOutcome[] = [];
  for (const command of commands) {
    const outcome = await turns.take(async () => {
      const left = end - performance.now();
      if (left <= 0 || behindOpen.has(command.id)) return leaveOpen(command);
      await begin(command);
      return execute(command, left);
    });
    if (outcome.kind === 'open') behindOpen.add(command.id);
    outcomes.push(outcome);
  }
  return outcomes;
}

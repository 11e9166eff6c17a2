import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import { isObject } from '../../core/values/json.js';
import { findNameProblem } from '../../core/values/name.js';
import {
  laneUpdateName,
  maxCommandsPerUpdate,
  type CommandLaneInput,
  type LaneCommand,
} from '../shared/command-lane.js';
import { assertInput } from '../shared/requests.js';

/** @throws InvalidArgumentError */
export function checkedInput(input: CommandLaneInput): CommandLaneInput {
  const { version, category } = assertInput('eventStoreCommandLane', input);
  if (version === 1 && typeof category === 'string') return input;
  throw new InvalidArgumentError(
    'eventStoreCommandLane is started by AggregateClient, with { version: 1, category }.',
  );
}

/** @throws InvalidArgumentError; the update then leaves no trace in the history */
export function assertCommands(commands: unknown): void {
  if (!Array.isArray(commands) || commands.length === 0 || commands.length > maxCommandsPerUpdate) {
    throw new InvalidArgumentError(
      `${laneUpdateName} takes a list of 1 to ${maxCommandsPerUpdate} commands. Send them with AggregateClient.`,
    );
  }
  for (const [index, command] of (commands as unknown[]).entries()) {
    const { id, home, commandId, name, metadata, causationId } = (
      isObject(command) ? command : {}
    ) as Partial<LaneCommand>;
    const names = {
      id,
      ...(home !== undefined && { home }),
      commandId,
      name,
      ...(causationId !== undefined && { causationId }),
    };
    for (const [field, value] of Object.entries(names)) {
      const problem = findNameProblem(value);
      if (problem !== undefined) {
        throw new InvalidArgumentError(
          `commands[${index}].${field} ${problem}. Send them with AggregateClient.`,
        );
      }
    }
    if (metadata !== undefined && (!isObject(metadata) || Array.isArray(metadata))) {
      throw new InvalidArgumentError(`commands[${index}].metadata must be an object.`);
    }
  }
}

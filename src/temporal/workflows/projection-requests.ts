import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import {
  controlProjectionUpdate,
  isRebaseFrom,
  type ProjectionAction,
} from '../shared/projection-requests.js';
import type { ProjectionInput } from '../shared/projection-run.js';
import { assertInput } from '../shared/requests.js';

/** @throws InvalidArgumentError */
export function checkedInput(input: ProjectionInput): ProjectionInput {
  const { version, name, heartbeatTimeout } = assertInput('eventStoreProjection', input);
  if (version === 1 && typeof name === 'string' && Number(heartbeatTimeout) > 0) return input;
  throw new InvalidArgumentError(
    'eventStoreProjection is started by ProjectionClient, with { version: 1, name, heartbeatTimeout }.',
  );
}

/** @throws InvalidArgumentError; the update then leaves no trace in the history */
export function checkAction(action: ProjectionAction): void {
  const known = [
    'pause',
    'resume',
    'stop',
    'rebuild',
    'cancelRebuild',
    'rollback',
    'rebase',
    'retry',
    'skip',
  ];
  if (!known.includes((action as Partial<ProjectionAction> | undefined)?.action ?? '')) {
    throw new InvalidArgumentError(`${controlProjectionUpdate} knows the actions ${known.join(', ')}.`);
  }
  if (action.action === 'skip' && !(isText(action.operator) && isText(action.reason))) {
    throw new InvalidArgumentError('To skip an event, say who you are (operator) and why (reason).');
  }
  if ((action.action === 'skip' || action.action === 'retry') && !isText(action.eventId)) {
    throw new InvalidArgumentError(`To ${action.action} an event, give its eventId.`);
  }
  if (action.action === 'rebase') {
    const { from, operator, reason } = action;
    if (!(isText(operator) && isText(reason))) {
      throw new InvalidArgumentError('To rebase a projection, say who you are (operator) and why (reason).');
    }
    if (isRebaseFrom(from) !== undefined) {
      throw new InvalidArgumentError(
        `A projection is rebased from a position, or 'beginning', 'end' or 'checkpoint'; got ${JSON.stringify(from)}.`,
      );
    }
  }
  if (action.action === 'rebuild') {
    const { maxRate = 1, version = 1 } = action;
    if (!(maxRate > 0)) {
      throw new InvalidArgumentError('maxRate is a number of events a second, above 0.');
    }
    if (!Number.isInteger(version)) {
      throw new InvalidArgumentError('version is an integer: that of a definition of the projection.');
    }
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}

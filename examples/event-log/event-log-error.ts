import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';

/** A file that is not a whole, well-formed event log. Trying again does not help. */
export class EventLogError extends Error {
  override readonly name = 'EventLogError';
  readonly file: string;
  /** From 1; absent when the fault is not in one line. */
  readonly line: number | undefined;

  constructor(problem: string, place: { file: string; line?: number | undefined }, options?: ErrorOptions) {
    super(`${place.file}${place.line === undefined ? '' : `, line ${place.line}`}: ${problem}`, options);
    this.file = place.file;
    this.line = place.line;
  }
}

/** What an activity throws, so that Temporal does not try it again and the error arrives with its place. */
export function toFailure(error: EventLogError): ApplicationFailure {
  const { name: type, message, file, line } = error;
  return ApplicationFailure.create({
    type,
    message,
    nonRetryable: true,
    // The worker's log need not tell what the user is told.
    category: ApplicationFailureCategory.BENIGN,
    details: [line === undefined ? { file } : { file, line }],
    cause: error,
  });
}

/** The message of an {@link EventLogError}, thrown here or brought by a failure of a workflow. */
export function findEventLogProblem(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current instanceof EventLogError) return current.message;
    if (current instanceof ApplicationFailure && current.type === 'EventLogError') return current.message;
  }
  return undefined;
}

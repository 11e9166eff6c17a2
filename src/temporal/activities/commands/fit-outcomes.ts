import { utf8Length, type JsonValue } from '../../../core/values/json.js';
import type { CommandOutcome } from '../../shared/command-lane.js';
import type { ErrorMessage } from '../../shared/error-message.js';

/**
 * Most bytes of JSON of the outcomes of a batch. They travel twice in one call of the worker, as a result and as the
 * answers, and Temporal takes 2 MiB of one and 4 MB of both. An activity whose result doesn't fit would run for ever.
 */
const maxBytes = 1_000_000;

/** If a batch's outcomes are too large together, cuts the errors of those commands that take more than their share. */
export function fitOutcomes(outcomes: readonly CommandOutcome[]): readonly CommandOutcome[] {
  const sizes = outcomes.map(sizeOf);
  if (sizes.reduce((sum, size) => sum + size, 0) <= maxBytes) return outcomes;
  const shard = maxBytes / outcomes.length;
  return outcomes.map((outcome, index) =>
    outcome.kind === 'committed' || Number(sizes[index]) <= shard
      ? outcome
      : { ...outcome, error: cut(outcome.error, shard) },
  );
}

/** Keeps the type, the beginning of the message, and the small fields: a code, a reason. */
function cut({ type, message, details }: ErrorMessage, shard: number): ErrorMessage {
  // A character takes 6 bytes of JSON at most.
  const length = Math.floor(shard / 2 / 6);
  const isCut = message.length > length;
  const [fields = {}] = details;
  let left = shard / 4;
  const small = Object.entries(fields as Record<string, JsonValue>).filter(([key, value]) => {
    const size = sizeOf([key, value]);
    const isSmall = size <= left;
    if (isSmall) left -= size;
    return isSmall;
  });
  return {
    type,
    message: isCut ? `${message.slice(0, length)} … (cut, of ${message.length} characters)` : message,
    details: [Object.fromEntries(small)],
  };
}

function sizeOf(value: unknown): number {
  return utf8Length(JSON.stringify(value));
}

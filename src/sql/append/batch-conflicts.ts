import type { ConflictingEvent } from '../../core/store/append/append-condition.js';
import { matchesFilters, type Filterable } from '../../core/store/read/filter.js';
import type { AppendMember } from './append-member.js';

/** A member that is refused if an earlier one is appended. */
export interface ConflictInBatch {
  /** Its place in the statement, from 1, like `on`. */
  readonly member: number;
  readonly on: number;
  readonly event: ConflictingEvent;
}

/** For each condition, the earlier members with an event that it takes. */
export function conflictsIn(members: readonly AppendMember[]): readonly ConflictInBatch[] {
  if (members.every(({ condition }) => condition === undefined)) return [];
  const events = members.map(filterableEvents);
  return members.flatMap(({ condition }, place) =>
    condition === undefined
      ? []
      : events.slice(0, place).flatMap((earlier, on) => {
          const found = earlier.find((event) => matchesFilters(condition.filter, event));
          if (found === undefined) return [];
          const { streamId, type, id } = found;
          return [{ member: place + 1, on: on + 1, event: { streamId, type, id } }];
        }),
  );
}

function filterableEvents({ parts }: AppendMember): readonly (Filterable & { readonly id: string })[] {
  return parts.flatMap(({ streamId, commits }) =>
    commits.flatMap(({ events, eventIds }) =>
      events.map(({ type, tags, correlationId }, ordinal) => ({
        id: eventIds[ordinal] as string,
        streamId,
        type,
        tags,
        correlationId,
        // No condition looks at times.
        occurredAt: '',
      })),
    ),
  );
}

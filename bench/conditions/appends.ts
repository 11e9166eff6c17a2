import { randomUUID } from 'node:crypto';
import type { Append, Condition, Contender, NewEvent, TagFilter } from '../contenders/contender.js';
import { createEventSource } from '../workload/events.js';
import { wayOf, type Way } from './way.js';

/** The tags of an event, and what a condition on it depends on. */
export interface Tagging {
  readonly tagsOf: (event: NewEvent) => readonly string[];
  readonly filtersOf?: (event: NewEvent) => readonly TagFilter[];
}

const ownTag = ({ data }: NewEvent) => `order:${data.ref}`;
const ofOwnTag = (event: NewEvent): TagFilter => ({ types: [event.type], tags: [ownTag(event)] });

/** No two appends depend on the same events. */
export const disjointTags = {
  tagsOf: (event) => [ownTag(event)],
  filtersOf: (event) => [ofOwnTag(event)],
} satisfies Tagging;

/** All appends take turns with all others, but none is in the way of another. */
export const hotTag = {
  tagsOf: (event) => [ownTag(event), 'hot'],
  filtersOf: (event) => [ofOwnTag(event), { types: ['Never'], tags: ['hot'] }],
} satisfies Tagging;

/** Tags as events of courses and students have them. */
export function manyTags(count: 0 | 2 | 5): Tagging {
  return {
    tagsOf: ({ data: { ref } }) =>
      [
        `course:${ref % 1000}`,
        `student:${(ref * 7919) % 100_000}`,
        'tenant:1',
        `region:${ref % 10}`,
        `kind:${ref % 7}`,
      ].slice(0, count),
  };
}

/** Appends of one event to a new stream. */
export function plain(contender: Contender, { tagsOf }: Tagging): Way {
  return wayOf(contender, ['append'], (session, ledger) => {
    const nextAppend = createAppendSource(tagsOf);
    return async () => {
      const append = nextAppend();
      await session.append(append);
      ledger.acknowledge(append);
      return 1;
    };
  });
}

/** The same, each under a condition whose position is that of the last answer: as of callers who have just read. */
export function conditional(contender: Contender, { tagsOf, filtersOf }: Required<Tagging>): Way {
  return wayOf(contender, ['appendIf'], (session, ledger) => {
    const nextAppend = createAppendSource(tagsOf);
    let after = 0;
    return async () => {
      const append = nextAppend();
      const condition: Condition = { filters: filtersOf(append.events[0]!), after };
      after = Math.max(after, await session.appendIf(append, condition));
      ledger.acknowledge(append);
      return 1;
    };
  });
}

/** Two events to two streams, one append after the other. */
export function twoAppends(contender: Contender): Way {
  return wayOf(contender, ['append'], (session, ledger) => {
    const nextAppend = createAppendSource();
    return async () => {
      for (const append of [nextAppend(), nextAppend()]) {
        await session.append(append);
        ledger.acknowledge(append);
      }
      return 2;
    };
  });
}

/** Two events to two streams, in one append. */
export function oneAppend(contender: Contender): Way {
  return wayOf(contender, ['appendToStreams'], (session, ledger) => {
    const nextAppend = createAppendSource();
    return async () => {
      const appends = [nextAppend(), nextAppend()];
      await session.appendToStreams(appends, randomUUID());
      for (const append of appends) ledger.acknowledge(append);
      return 2;
    };
  });
}

/** An event as the first one of a new stream. */
export function toAppend(event: NewEvent): Append {
  return {
    streamId: `account-${randomUUID()}`,
    expectedVersion: 0,
    commitId: randomUUID(),
    events: [event],
  };
}

function createAppendSource(tagsOf: Tagging['tagsOf'] = () => []): () => Append {
  const nextEvent = createEventSource();
  return () => {
    const event = nextEvent();
    return toAppend({ ...event, tags: tagsOf(event) });
  };
}

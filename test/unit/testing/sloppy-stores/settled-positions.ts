import type { AllSlice, RecordedEvent } from 'temporal-event-store';
import { lookingFirst, onAfter, settledIn } from './conditional.js';
import { readingAll, wentThrough, type Change, type SloppyStore } from './sloppy-store.js';

/** Changes the settled position of forward reads. */
const settling = (change: (slice: AllSlice, after: number) => object | undefined): Change =>
  readingAll((slice, { after = 0, direction }) => {
    const { settled: _, ...others } = slice;
    if (direction === 'backward') return slice;
    const settled = change(slice, after);
    return { ...others, ...(settled && { settled }) } as AllSlice;
  });

/** Builds on the position of whatever the caller gives, if `isTaken`. */
const takingAfter = (isTaken: (after: object) => boolean): Change =>
  lookingFirst(async (store, options) => {
    const after = options.condition?.after as
      | (Partial<AllSlice> & { readonly version?: number; readonly events?: readonly RecordedEvent[] })
      | undefined;
    if (typeof after !== 'object' || after === null || !isTaken(after)) return options;
    const { storeId } = await store.readAll({ limit: 1 });
    const position = after.position ?? after.events?.at(-1)?.position ?? 0;
    return {
      ...options,
      condition: {
        ...options.condition,
        after: {
          position: Math.max(0, Math.floor(position)),
          storeId: after.storeId === '' ? storeId : (after.storeId ?? storeId),
        },
      },
    };
  });

const isSlice = (after: object): boolean => 'events' in after;

export const withSloppySettledPositions: readonly SloppyStore[] = [
  {
    defect: 'knows no settled positions',
    change: settling(() => undefined),
    failsIn: 'settled positions > are the position of a forward read that has reached its end',
    because: /Expected \{"position":\d+,.*\}, but got undefined/,
  },
  {
    defect: 'settles what it has not shown yet',
    change: settling(({ settled }) => settled && { ...settled, position: settled.position + 1 }),
    failsIn: 'settled positions > are the position of a forward read that has reached its end',
    because: /Expected \{"position":\d+.*but got \{"position":\d+/,
  },
  {
    defect: 'settles nothing in an empty page',
    change: settling(({ events, settled }) => (events.length > 0 ? settled : undefined)),
    failsIn: 'settled positions > are the position of a forward read that has reached its end',
    because: /Expected \{"position":\d+,.*\}, but got undefined/,
  },
  {
    defect: 'has a settled position in each page',
    change: settling(({ position, storeId }) => ({ position, storeId })),
    failsIn: 'settled positions > are absent where a page is not the last',
    because: /Expected \[false,1,null\], but got \[false,1,\{"position"/,
  },
  {
    defect: 'has a settled position in each page that its bytes cut',
    change: readingAll((slice, { maxBytes }) =>
      maxBytes === 1 && !slice.isEnd
        ? ({ ...slice, settled: { position: slice.position } } as AllSlice)
        : slice,
    ),
    failsIn: 'settled positions > are absent where a page is not the last',
    because: /Expected \[false,1,null\], but got \[false,1,\{"position"/,
  },
  {
    defect: 'has a settled position in backward reads',
    change: readingAll((slice, { direction }) =>
      direction === 'backward' && slice.isEnd ? ({ ...slice, settled: { position: 0 } } as AllSlice) : slice,
    ),
    failsIn: 'settled positions > are absent in a backward read, also at its end',
    because: /Expected \[true,null\], but got \[true,\{"position":0/,
  },
  {
    defect: 'settles what the filter takes, and no more',
    change: settling(
      ({ events, settled }, after) =>
        settled && { ...settled, position: Math.max(after, events.at(-1)?.position ?? 0) },
    ),
    failsIn:
      'settled positions > pass each append as soon as it has answered, also one that the filter leaves out',
    because: /Expected true, but got false/,
  },
  {
    defect: 'takes slices, and not their settled positions',
    change: onAfter((after) => (isSlice(after) ? after : 'no slice')),
    failsIn: 'settled positions > let a condition build on the settled position of a slice',
    because: /must be the last slice of a forward readAll/,
  },
  {
    defect: 'takes settled positions, and no slices',
    change: onAfter((after) => (isSlice(after) ? 'a slice' : after)),
    failsIn: 'settled positions > let a condition build on a slice',
    because: /must be the last slice of a forward readAll/,
  },
  {
    defect: 'knows its slices by their identity',
    change: (store) => {
      const known = new WeakSet<object>();
      return {
        ...onAfter((after) => (known.has(after) || !isSlice(after) ? after : 'not ours'))(store),
        readAll: async (options) => {
          const slice = await store.readAll<never>(options);
          known.add(slice);
          return slice;
        },
      };
    },
    failsIn: 'settled positions > let a condition build on a slice that went through JSON',
    because: /must be the last slice of a forward readAll/,
  },
  {
    defect: 'knows its settled positions by their identity',
    change: (store) => {
      const known = new WeakSet<object>();
      return {
        ...onAfter((after) => (known.has(after) || isSlice(after) ? after : 'not ours'))(store),
        readAll: async (options) => {
          const slice = await store.readAll<never>(options);
          if (slice.settled) known.add(slice.settled);
          return slice;
        },
      };
    },
    failsIn: 'settled positions > let a condition build on a settled position that went through JSON',
    because: /must be the last slice of a forward readAll/,
  },
  {
    defect: 'settles reads with a filter only',
    change: readingAll((slice, { filter }) => {
      const { settled: _, ...others } = slice;
      return filter === undefined ? others : slice;
    }),
    failsIn: 'settled positions > let a condition build on a read without a filter',
    because: /is a slice without a settled position/,
  },
  ...(
    [
      [
        'takes a page that is not the last',
        'a page that is not the last',
        (after) => isSlice(after) && !(after as AllSlice).isEnd,
      ],
      [
        'takes the page of a backward read',
        'a backward read',
        (after) => isSlice(after) && (after as AllSlice).settled === undefined,
      ],
      [
        'takes a backward read that has reached the start',
        'a backward read at its end',
        (after) => isSlice(after) && (after as AllSlice).isEnd,
      ],
      [
        'takes the end of a stream for the end of the store',
        'a read of a stream',
        (after) => 'version' in after,
      ],
      ['takes the position of an event', 'an event', (after) => 'data' in after],
      ['takes the position of an append', 'the result of an append', (after) => 'deduplicated' in after],
      ['takes a position of any store', 'one without a store', (after) => !('storeId' in after)],
      ['takes no position for the start', 'a store without one', (after) => !('position' in after)],
      ['takes a negative position for the start', 'a negative one', isPosition((position) => position < 0)],
      ['rounds positions', 'one between two', isPosition((position) => !Number.isInteger(position))],
      [
        'takes an empty store id for its own',
        'an empty store id',
        (after) => (after as AllSlice).storeId === '',
      ],
    ] as readonly (readonly [string, string, (after: object) => boolean])[]
  ).map(([defect, what, isTaken]): SloppyStore => ({
    defect: `${defect} for what a condition builds on`,
    change: takingAfter(isTaken),
    failsIn: `settled positions > are not those of ${what}`,
    because: wentThrough,
  })),
  {
    defect: 'takes a number for a position of its own',
    change: lookingFirst(async (store, options) => {
      const position: unknown = options.condition?.after;
      if (typeof position !== 'number') return options;
      const { storeId } = await store.readAll({ limit: 1 });
      return { ...options, condition: { ...options.condition, after: { position, storeId } } };
    }),
    failsIn: 'settled positions > are not those of a number',
    because: wentThrough,
  },
  {
    defect: 'takes no position for the end',
    change: lookingFirst(async (store, options) =>
      (options.condition?.after as unknown) === null
        ? { ...options, condition: { ...options.condition, after: await store.readAll() } }
        : options,
    ),
    failsIn: 'settled positions > are not those of no position',
    because: wentThrough,
  },
  {
    defect: 'takes a position beyond its end for the end',
    change: lookingFirst(async (store, options) => {
      const settled = settledIn(options.condition);
      if (settled?.position !== Number.MAX_SAFE_INTEGER) return options;
      return { ...options, condition: { ...options.condition, after: await store.readAll() } };
    }),
    failsIn: 'settled positions > are refused beyond the end of the store, also where nothing is in the way',
    because: wentThrough,
  },
  {
    defect: 'ignores whose position it is',
    change: lookingFirst(async (store, options) => {
      const settled = settledIn(options.condition);
      if (settled === undefined) return options;
      const { storeId } = await store.readAll({ limit: 1 });
      return { ...options, condition: { ...options.condition, after: { ...settled, storeId } } };
    }),
    failsIn: 'settled positions > are refused of another store, also where nothing is in the way',
    because: wentThrough,
  },
  {
    defect: 'takes the start for a position of any store',
    change: lookingFirst(async (store, options) => {
      const settled = settledIn(options.condition);
      if (settled?.position !== 0) return options;
      const { storeId } = await store.readAll({ limit: 1 });
      return { ...options, condition: { ...options.condition, after: { ...settled, storeId } } };
    }),
    failsIn:
      'settled positions > are refused of another store, at its start, also where nothing is in the way',
    because: wentThrough,
  },
];

function isPosition(is: (position: number) => boolean): (after: object) => boolean {
  return (after) => !isSlice(after) && 'position' in after && is(after.position as number);
}

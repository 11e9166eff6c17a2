import { rowsSql } from '../workload/rows.js';

/** What some events of a large store have, and events that are appended later have not. */
export const marks = {
  /** Ten events. */
  rareTag: 'rare',
  /** A tenth of all events. */
  commonTag: 'common',
  /** The same. */
  type: 'Closed',
} as const;

/** Events as those of `rows.ts`, of which the marked ones are spread evenly over the first so many. */
export function markedRowsSql(count: number, lastMarked: number): string {
  const every = lastMarked / (count / 10);
  const isMarked = (each: number) => `ref <= ${lastMarked} and ref % ${each} = 0`;
  return `
    select
      ref, stream_id, version, case when ${isMarked(every)} then '${marks.type}' else type end as type, data,
      correlation_id,
      tags
        || case when ${isMarked(every)} then array['${marks.commonTag}'] else '{}' end
        || case when ${isMarked(lastMarked / 10)} then array['${marks.rareTag}'] else '{}' end as tags,
      metadata, metadata_with_tags
    from (${rowsSql({ count, perStream: 20 })}) r`;
}

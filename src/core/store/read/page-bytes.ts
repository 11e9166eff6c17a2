import type { RecordedEvent } from '../../events/event.js';
import { utf8Length } from '../../values/json.js';

/** What a page counts an event as: bytes of JSON of its data, metadata and tags. */
export function eventBytes({ data, metadata, tags }: RecordedEvent): number {
  return storedBytes({ data: JSON.stringify(data), metadata: JSON.stringify(metadata), tags });
}

/** As {@link eventBytes}, where `data` and `metadata` are JSON already. */
export function storedBytes({
  data,
  metadata,
  tags,
}: {
  readonly data: string;
  readonly metadata: string;
  readonly tags: readonly string[];
}): number {
  return utf8Length(data) + utf8Length(metadata) + (tags.length === 0 ? 2 : utf8Length(JSON.stringify(tags)));
}

/** How many of these a page holds: as many as fit, from the first on, and at least one. */
export function countThatFits<T>(
  items: readonly T[],
  maxBytes: number,
  bytesOf: (item: T) => number,
): number {
  let bytes = 0;
  const end = items.findIndex((item, index) => {
    bytes += bytesOf(item);
    return bytes > maxBytes && index > 0;
  });
  return end < 0 ? items.length : end;
}

import type { RecordedEvent } from './event.js';

/** A CloudEvent 1.0 in its JSON form (https://cloudevents.io). Extension attributes are lower-case, as it demands. */
export interface CloudEvent<Data = unknown> {
  readonly specversion: '1.0';
  /** The id of the event. Receivers recognise repeats by it. */
  readonly id: string;
  /** A URI reference that names the producer. `source` and `id` together are unique. */
  readonly source: string;
  readonly type: string;
  /** The stream id. */
  readonly subject: string;
  /** When it happened: `occurredAt`. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: Data;
  /** The event's version in its stream, as text. Receivers order by it. */
  readonly sequence: string;
  readonly schemaversion: number;
  readonly correlationid?: string;
  readonly causationid?: string;
}

/**
 * @param options.source a URI reference that names the producer. Default: `/` and the stream's category. When several
 *   stores publish to the same receivers, set it so that they can tell the stores apart. The `id` is unique without it.
 */
export function toCloudEvent<E extends RecordedEvent>(
  event: E,
  options: { readonly source?: string } = {},
): CloudEvent<E['data']> {
  const { correlationId, causationId } = event.metadata;
  return {
    specversion: '1.0',
    id: event.id,
    source: options.source ?? `/${encodeURIComponent(event.streamId.split('-', 1)[0] ?? '')}`,
    type: event.type,
    subject: event.streamId,
    time: event.occurredAt,
    datacontenttype: 'application/json',
    data: event.data,
    sequence: String(event.version),
    schemaversion: event.schemaVersion,
    ...(correlationId !== undefined && { correlationid: correlationId }),
    ...(causationId !== undefined && { causationid: causationId }),
  };
}

import type { RecordedEvent } from './event.js';

/** A CloudEvent 1.0 in its JSON form (https://cloudevents.io). Extension attributes are lower-case, as it demands. */
export interface CloudEvent<Data = unknown> {
  readonly specversion: '1.0';
  /** The id of the event: what a receiver that has seen it recognises. */
  readonly id: string;
  /** Where it comes from, a URI reference; with `id` unique. */
  readonly source: string;
  readonly type: string;
  /** The stream. */
  readonly subject: string;
  /** When it happened. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: Data;
  /** The version in its stream: receivers order by it. */
  readonly sequence: string;
  readonly schemaversion: number;
  readonly correlationid?: string;
  readonly causationid?: string;
}

/**
 * @param options.source a URI reference that names the producer. Default `/` and the stream's category: give one by which receivers
 *   tell stores apart, where several publish to them. The `id` is unique without it.
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

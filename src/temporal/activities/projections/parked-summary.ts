import type { EventFailure, ParkedEvent } from '../../../core/projections/projection-sink.js';
import type { ParkedEventSummary } from '../../shared/projection.js';

/** Most parked events in one answer, and characters of what they say. */
const maxParked = 200;
const maxErrorLength = 1_000;

export function summariesOf(parked: readonly ParkedEvent[]): readonly ParkedEventSummary[] {
  return parked.slice(0, maxParked).map(summaryOf);
}

export function summaryOf({
  event,
  error,
  attempts,
  status,
  ...decided
}: EventFailure & Pick<ParkedEvent, 'status'> & Partial<ParkedEvent>): ParkedEventSummary {
  const { id: eventId, streamId, version, position, type } = event;
  return {
    eventId,
    streamId,
    version,
    position,
    type,
    error: error.slice(0, maxErrorLength),
    attempts,
    status,
    ...decided,
  };
}

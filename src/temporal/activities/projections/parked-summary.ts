import type { ParkedEvent } from '../../../core/projections/projection-sink.js';
import { fittingPage } from '../../shared/page-size.js';
import type { ParkedEventSummary } from '../../shared/projection-run.js';

/** Most parked events in one answer, fewer if they are large; and most characters of their texts. */
export const maxParked = 200;
export const maxErrorLength = 1_000;

export function summariesOf(parked: readonly ParkedEvent[]): readonly ParkedEventSummary[] {
  return fittingPage(parked.map(summaryOf));
}

export function summaryOf({
  event,
  error,
  attempts,
  status,
  ...decided
}: Omit<ParkedEvent, 'parkedAt'> & Partial<ParkedEvent>): ParkedEventSummary {
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

import { AggregateRoot } from 'temporal-event-store';
import type { CaseEvent } from './case-event.js';

/** A case of the log, as its events tell it. It is only replayed; nobody sends it commands. */
export class CaseAggregate extends AggregateRoot<CaseEvent> {
  static readonly category = 'Case';

  events = 0;
  activities: string[] = [];
  resources: string[] = [];
  firstEventAt: string | null = null;
  lastEventAt: string | null = null;

  protected apply({ type, data, occurredAt }: CaseEvent): void {
    this.events++;
    this.activities.push(type);
    if (data.resource !== undefined && !this.resources.includes(data.resource)) {
      this.resources.push(data.resource);
    }
    this.firstEventAt ??= occurredAt;
    this.lastEventAt = occurredAt;
  }
}

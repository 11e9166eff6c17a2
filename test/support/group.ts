import {
  AggregateRoot,
  defineEvents,
  DomainError,
  type DomainEvent,
  type StandardSchema,
} from 'temporal-event-store';

type Joined = DomainEvent<'Joined', { readonly email: string }>;

/** An aggregate whose rule depends on what a schema makes of its events. */
export class Group extends AggregateRoot<Joined> {
  static readonly category = 'Group';
  emails: string[] = [];
  join(email: string): void {
    if (this.emails.includes(email)) throw new DomainError('Taken', { reason: 'TAKEN' });
    this.raise({ type: 'Joined', data: { email } });
  }
  protected apply({ data }: Joined): void {
    this.emails = [...this.emails, data.email];
  }
}

function schema(make: (email: string) => string): StandardSchema {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (data) => ({ value: { email: make((data as Joined['data']).email) } }),
    },
  };
}

export const trimmed = defineEvents({ Joined: { schema: schema((email) => email.trim()) } });
/** Changes also what it has made. */
export const exclaimed = defineEvents({ Joined: { schema: schema((email) => `${email}!`) } });

import {
  createCommandHandler,
  DomainError,
  type Decider,
  type DomainCommand,
  type EventStore,
} from 'temporal-event-store';
import { emailKey, type EmailEvent } from './email-event.js';

type EmailCommand = DomainCommand<'Take' | 'Release', { readonly user: string; readonly key: string }>;

interface Owner {
  readonly user?: string | undefined;
}

/**
 * The plain way with release: an aggregate for each address, whose id is the address's key. It knows who has the address,
 * and nothing of the other addresses of that user.
 */
export const emailDecider: Decider<Owner, EmailCommand, EmailEvent> = {
  category: 'Email',
  initialState: () => ({}),
  evolve: (_owner, { type, data }) => (type === 'EmailTaken' ? { user: data.user } : {}),
  decide({ user }, { type, data }) {
    if (type === 'Release') return user === data.user ? [{ type: 'EmailReleased', data }] : [];
    if (user === data.user) return [];
    if (user !== undefined) throw new DomainError('The address is taken', { reason: 'EMAIL_TAKEN' });
    return [{ type: 'EmailTaken', data }];
  },
};

/**
 * A change of address is two commands. Between them the user has both addresses, and if the process dies there, until the
 * request is sent again: with its id, both take effect once. So let a workflow do it, or a caller who repeats.
 */
export async function changeEmail(
  store: EventStore,
  { user, from, to, requestId }: Record<'user' | 'from' | 'to' | 'requestId', string>,
): Promise<void> {
  const emails = createCommandHandler(store, emailDecider);
  const command = (type: EmailCommand['type'], key: string): EmailCommand => ({ type, data: { user, key } });
  const [oldKey, newKey] = [emailKey(from), emailKey(to)];
  await emails.execute(newKey, command('Take', newKey), { commandId: requestId });
  await emails.execute(oldKey, command('Release', oldKey), { commandId: requestId });
}

import { streamId, type AppendResult, type EventStore } from 'temporal-event-store';
import { emailKey, type EmailTaken } from './email-event.js';

/**
 * The plainest way: a stream for each address, which must not exist yet. An address is then taken once and for ever.
 *
 * @throws VersionConflictError when the address is taken
 */
export async function takeForEver(
  store: EventStore,
  {
    user,
    address,
    requestId,
  }: { readonly user: string; readonly address: string; readonly requestId: string },
): Promise<AppendResult> {
  const key = emailKey(address);
  return store.appendToStream<EmailTaken>(
    streamId('Email', key),
    [{ type: 'EmailTaken', data: { user, key } }],
    // Sent again, the request finds what it has stored, and not that the address is taken.
    { expectedVersion: 'noStream', commitId: requestId },
  );
}

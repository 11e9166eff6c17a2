import { defineDecision, DomainError, streamId, type EventToAppend } from 'temporal-event-store';
import { emailKey, type EmailEvent, type EmailReleased, type EmailTaken } from './email-event.js';

export interface TakeEmail {
  readonly user: string;
  readonly address: string;
}

export interface ReleaseEmail {
  readonly user: string;
}

const types = ['EmailTaken', 'EmailReleased'] as const;

/**
 * Gives a user an address that nobody else has. If the user has another one, that one becomes free in the same commit.
 *
 * It depends on the events of the address, whoever has it, and on those of the user, whichever address that is.
 */
export const takeEmail = defineDecision({
  name: 'take-email',
  home: ({ user }: TakeEmail) => streamId('User', user),
  filter: ({ user, address }) => [
    { types, tags: [`email:${emailKey(address)}`] },
    { types, tags: [`user:${user}`] },
  ],
  initialState: (): { readonly owner?: string | undefined; readonly current?: string | undefined } => ({}),
  evolve(state, { type, data }: EmailEvent, { user, address }) {
    const isTaken = type === 'EmailTaken';
    return {
      owner: data.key === emailKey(address) ? (isTaken ? data.user : undefined) : state.owner,
      current: data.user === user ? (isTaken ? data.key : undefined) : state.current,
    };
  },
  decide({ owner, current }, { user, address }) {
    if (owner === user) return [];
    if (owner !== undefined) throw new DomainError('The address is taken', { reason: 'EMAIL_TAKEN' });
    const change = current === undefined ? [] : [released(user, current)];
    return [...change, taken(user, emailKey(address))];
  },
});

/** Makes the address of a user free. */
export const releaseEmail = defineDecision({
  name: 'release-email',
  home: ({ user }: ReleaseEmail) => streamId('User', user),
  filter: ({ user }) => ({ types, tags: [`user:${user}`] }),
  initialState: (): string | undefined => undefined,
  evolve: (_current, { type, data }: EmailEvent) => (type === 'EmailTaken' ? data.key : undefined),
  decide: (current, { user }) => (current === undefined ? [] : [released(user, current)]),
});

function taken(user: string, key: string): EventToAppend<EmailTaken> {
  return { type: 'EmailTaken', data: { user, key }, tags: tagsOf(user, key) };
}

function released(user: string, key: string): EventToAppend<EmailReleased> {
  return { type: 'EmailReleased', data: { user, key }, tags: tagsOf(user, key) };
}

/** Each event carries both, so that both filters see it. */
function tagsOf(user: string, key: string): readonly string[] {
  return [`email:${key}`, `user:${user}`];
}

import { createCommandHandler, createDecisionHandler } from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { given } from 'temporal-event-store/testing';
import { describe, expect, it } from 'vitest';
import { changeEmail, emailDecider } from '../../../examples/reservations/emails/email-decider.js';
import { releaseEmail, takeEmail } from '../../../examples/reservations/emails/email-decisions.js';
import { emailKey, type EmailEvent } from '../../../examples/reservations/emails/email-event.js';
import { takeForEver } from '../../../examples/reservations/emails/email-stream.js';
import { observe } from '../fixtures/observed-store.js';

const address = 'ann@example.com';
const key = emailKey(address);
const otherKey = emailKey('ann@example.org');

function event(type: EmailEvent['type'], user: string, ofKey = key) {
  const data = { user, key: ofKey };
  return { type, data, tags: [`email:${ofKey}`, `user:${user}`], streamId: `User-${user}` };
}

const taken = (user: string, ofKey?: string) => event('EmailTaken', user, ofKey);
const released = (user: string, ofKey?: string) => event('EmailReleased', user, ofKey);

describe('taking an address', () => {
  it('gives it to a user', async () => {
    await given(takeEmail, [])
      .when({ user: 'ann', address })
      .then([taken('ann')]);
  });

  it('refuses one that somebody else has, however it is written', async () => {
    await given(takeEmail, [taken('ann')])
      .when({ user: 'bob', address: ' Ann@Example.COM ' })
      .then({ reason: 'EMAIL_TAKEN' });
  });

  it('changes nothing for who has it', async () => {
    await given(takeEmail, [taken('ann')])
      .when({ user: 'ann', address })
      .then([]);
  });

  it('gives one that was released, also to who had it before', async () => {
    const past = [taken('ann'), released('ann')];
    await given(takeEmail, past)
      .when({ user: 'bob', address })
      .then([taken('bob')]);
    await given(takeEmail, past)
      .when({ user: 'ann', address })
      .then([taken('ann')]);
  });

  it('releases the one that the user had', async () => {
    await given(takeEmail, [taken('ann', otherKey)])
      .when({ user: 'ann', address })
      .then([released('ann', otherKey), taken('ann')]);
  });
});

describe('releasing an address', () => {
  it('releases that of the user, if there is one', async () => {
    await given(releaseEmail, [taken('ann', otherKey), released('ann', otherKey), taken('ann')])
      .when({ user: 'ann' })
      .then([released('ann')]);
    await given(releaseEmail, [taken('bob')])
      .when({ user: 'ann' })
      .then([]);
  });
});

/** How many of the calls went through. */
async function successes(calls: readonly Promise<unknown>[]): Promise<number> {
  return (await Promise.allSettled(calls)).filter(({ status }) => status === 'fulfilled').length;
}

const users = Array.from({ length: 50 }, (_, index) => `user-${index}`);

describe.each<[string, (store: MemoryEventStore, user: string) => Promise<unknown>]>([
  ['the decision', (store, user) => createDecisionHandler(store, takeEmail).execute({ user, address })],
  ['a stream for each address', (store, user) => takeForEver(store, { user, address, requestId: user })],
  [
    'an aggregate for each address',
    (store, user) =>
      createCommandHandler(store, emailDecider).execute(key, { type: 'Take', data: { user, key } }),
  ],
])('by %s', (_by, take) => {
  it('one of 50 users gets an address', async () => {
    const store = new MemoryEventStore();
    expect(await successes(users.map((user) => take(store, user)))).toBe(1);
    const filter = { types: ['EmailTaken'] };
    expect((await store.readAll({ filter })).events).toHaveLength(1);
  });
});

describe('changing the address', () => {
  const change = { user: 'ann', from: address, to: 'ann@example.org', requestId: 'request-1' };
  const owners = async (store: MemoryEventStore): Promise<readonly string[]> =>
    (await store.readAll()).events.map(({ type, data }) => {
      const { user, key: ofKey } = data as EmailEvent['data'];
      return `${user} ${type} ${ofKey === key ? 'old' : 'new'}`;
    });

  it('is one commit by the decision', async () => {
    const store = new MemoryEventStore();
    const take = createDecisionHandler(store, takeEmail);
    await take.execute({ user: 'ann', address });
    const { parts } = await take.execute({ user: 'ann', address: change.to });
    expect(parts).toEqual([expect.objectContaining({ streamId: 'User-ann', version: 3 })]);
    expect(await owners(store)).toEqual([
      'ann EmailTaken old',
      'ann EmailReleased old',
      'ann EmailTaken new',
    ]);
  });

  it('is two by aggregates, and takes effect once when it is sent again after it broke off', async () => {
    const store = new MemoryEventStore();
    await createCommandHandler(store, emailDecider).execute(key, {
      type: 'Take',
      data: { user: 'ann', key },
    });
    let appends = 0;
    const { store: breaking } = observe(store, {
      append: () => (appends++ === 0 ? Promise.resolve() : Promise.reject(new Error('killed'))),
    });
    await expect(changeEmail(breaking, change)).rejects.toThrow('killed');
    expect(await owners(store)).toEqual(['ann EmailTaken old', 'ann EmailTaken new']);
    for (const _ of ['again', 'and again']) await changeEmail(store, change);
    expect(await owners(store)).toEqual([
      'ann EmailTaken old',
      'ann EmailTaken new',
      'ann EmailReleased old',
    ]);
  });
});

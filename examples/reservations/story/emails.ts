import { createCommandHandler, createDecisionHandler } from 'temporal-event-store';
import { changeEmail, emailDecider } from '../emails/email-decider.js';
import { releaseEmail, takeEmail } from '../emails/email-decisions.js';
import { emailKey } from '../emails/email-event.js';
import { takeForEver } from '../emails/email-stream.js';
import { outcomeOf, tally } from './outcome.js';
import type { Stage } from './stage.js';

/** An address is one user's, by a decision; and what a stream for each address can do. */
export async function emails({ store, named, title, say }: Stage): Promise<void> {
  const take = createDecisionHandler(store, takeEmail);
  const release = createDecisionHandler(store, releaseEmail);
  const [ann, bob] = [named('ann'), named('bob')];
  const address = (name: string): string => `${named(name)}@example.com`;
  const tell = async (what: string, call: Promise<unknown>): Promise<void> => {
    say(`  ${what} → ${await outcomeOf(call)}`);
  };

  title('An e-mail address is one user’s: a decision on the events of the address and of the user');
  await tell('Ann takes old@', take.execute({ user: ann, address: address('old') }));
  await tell('Bob takes OLD@', take.execute({ user: bob, address: address('old').toUpperCase() }));
  await tell('Ann changes to new@', take.execute({ user: ann, address: address('new') }));
  const { events } = await store.readStream(`User-${ann}`);
  say(`    her stream: ${events.map(({ type, version }) => `${version} ${type}`).join(', ')}`);
  await tell('Bob takes old@, which is free', take.execute({ user: bob, address: address('old') }));
  await tell('Ann gives new@ back', release.execute({ user: ann }));

  title('50 users take one address at once');
  const racers = Array.from({ length: 50 }, (_, index) => ({
    user: named(`racer-${index}`),
    address: address('race'),
  }));
  say(`  ${tally(await Promise.all(racers.map((command) => outcomeOf(take.execute(command)))))}`);

  title('The same by a stream for each address: nothing but an expected version');
  const forEver = { address: address('for-ever'), requestId: crypto.randomUUID() };
  await tell('Ann takes for-ever@', takeForEver(store, { ...forEver, user: ann }));
  await tell('Ann’s request again', takeForEver(store, { ...forEver, user: ann }));
  const other = { ...forEver, requestId: crypto.randomUUID() };
  await tell('Bob takes for-ever@', takeForEver(store, { ...other, user: bob }));

  title('The same by an aggregate for each address, which can be released: a change is two commits');
  const plain = createCommandHandler(store, emailDecider);
  const [from, to] = [address('plain-old'), address('plain-new')];
  const takePlain = (user: string): Promise<unknown> =>
    plain.execute(emailKey(from), { type: 'Take', data: { user, key: emailKey(from) } });
  await tell('Ann takes plain-old@', takePlain(ann));
  await tell('Bob takes plain-old@', takePlain(bob));
  const change = { user: ann, from, to, requestId: crypto.randomUUID() };
  await tell('Ann changes to plain-new@', changeEmail(store, change));
  await tell('Bob takes plain-old@, which is free', takePlain(bob));
}

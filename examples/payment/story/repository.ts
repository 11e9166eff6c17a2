import { isEventStoreError } from 'temporal-event-store';
import { PaymentAggregate } from '../domain/payment-aggregate.js';
import { TemporalPaymentRepository } from '../repository/temporal-payment-repository.js';
import type { Stage } from './stage.js';

/** Payments for a service that has a Temporal client and no database. */
export async function repository({ client, taskQueue, payment, title, say }: Stage): Promise<void> {
  const repository = new TemporalPaymentRepository({ client, taskQueue });
  const id = `${payment(1)}-saved`;

  title('B5, B6  A repository over Temporal: save and find');
  const saved = new PaymentAggregate(id);
  saved.process({
    organizationId: 'org-repository',
    amount: { minorUnits: 50_000, currency: 'EUR' },
    description: 'Invoice of a repository',
  });
  say(`  saved ${id}, version ${await repository.save(saved)}`);
  const mine = await repository.findById(id);
  const theirs = await repository.findById(id);
  if (mine === undefined || theirs === undefined) throw new Error(`${id} was saved and is not there`);
  theirs.complete();
  say(`  another completes it: version ${await repository.save(theirs)}`);
  mine.fail({ reason: 'no answer' });
  await repository.save(mine).catch((error: unknown) => {
    if (!isEventStoreError(error, 'VERSION_CONFLICT')) throw error;
    say(`  what was decided before is refused: ${error.message}`);
  });
  say(`  found: ${(await repository.findById(id))?.status ?? 'nothing'}`);

  title('B5, B6  Search and count, and a payment that goes');
  const count = await repository.count();
  const found = await repository.findByOrganization('org-repository');
  say(`  ${count} payments, of org-repository: ${found.map((each) => each.id).join(', ')}`);
  await repository.delete(id, { reason: 'entered twice' });
  const gone = (await repository.findById(id)) === undefined;
  say(`  deleted: ${gone ? 'not found any more' : 'still there'}, ${await repository.count()} payments`);
}

import { isEventStoreError } from 'temporal-event-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PaymentAggregate } from '../../../examples/payment/domain/payment-aggregate.js';
import { TemporalPaymentRepository } from '../../../examples/payment/repository/temporal-payment-repository.js';
import { uniqueName } from '../../support/temporal.js';
import { expectWorkerLog } from '../../support/worker-log.js';
import { details, startEmbeddedService, type PaymentService } from './payment-service.js';

expectWorkerLog(
  / failed \w+: Stream '\S+' was expected to be at version 1/,
  / failed \w+: The commit '\S+' of stream '\S+' holds other events/,
  / Workflow failed Error: (There is no payment|Payment \S+ is initiated already)/,
  / failed ProjectionBehindError: .* is stopped/,
  / Workflow failed Error: Activity task failed/,
);

let service: PaymentService;
let repository: TemporalPaymentRepository;
beforeAll(async () => {
  service = await startEmbeddedService();
  const { client, taskQueue } = service;
  repository = new TemporalPaymentRepository({ client, taskQueue });
}, 120_000);
afterAll(() => service.stop());

function newPayment(id: string, organizationId = 'org-456'): PaymentAggregate {
  const payment = new PaymentAggregate(id);
  payment.process(details(organizationId));
  return payment;
}

async function eventsOf(id: string): Promise<string[]> {
  return (await service.store.readStream(`Payment-${id}`)).events.map(({ type }) => type);
}

describe('the repository', () => {
  it('saves a payment, publishes it, and finds it as another process would', async () => {
    const id = uniqueName('payment');
    const payment = newPayment(id);
    expect(await repository.save(payment, { metadata: { actor: 'user-789' } })).toBe(1);
    expect(payment.uncommittedEvents).toEqual([]);

    const { client, taskQueue } = service;
    const found = await new TemporalPaymentRepository({ client, taskQueue }).findById(id);
    expect(found).toBeInstanceOf(PaymentAggregate);
    expect(found).toEqual(payment);
    expect(found).toMatchObject({ id, version: 1, status: 'processed', organizationId: 'org-456' });
    expect(service.published).toContainEqual(
      expect.objectContaining({
        streamId: `Payment-${id}`,
        metadata: expect.objectContaining({ actor: 'user-789' }) as object,
      }),
    );
  });

  it('saves nothing where nothing happened', async () => {
    const id = uniqueName('payment');
    await repository.save(newPayment(id));
    const found = (await repository.findById(id)) as PaymentAggregate;
    expect(await repository.save(found)).toBe(1);
    expect(await eventsOf(id)).toEqual(['PaymentProcessed']);
  });

  it('refuses to save over what another has saved, and the payment keeps its events', async () => {
    const id = uniqueName('payment');
    await repository.save(newPayment(id));
    const mine = (await repository.findById(id)) as PaymentAggregate;
    const theirs = (await repository.findById(id)) as PaymentAggregate;
    theirs.complete();
    await repository.save(theirs);

    mine.fail({ reason: 'no answer' });
    await expect(repository.save(mine)).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
      expectedVersion: 1,
      actualVersion: 2,
    });
    expect(mine.uncommittedEvents).toHaveLength(1);
    expect(await eventsOf(id)).toEqual(['PaymentProcessed', 'PaymentCompleted']);
  });

  it('stores a save once that is sent again with its commit id, and no other save with it', async () => {
    const id = uniqueName('payment');
    const commitId = crypto.randomUUID();
    await repository.save(newPayment(id), { commitId });
    expect(await repository.save(newPayment(id), { commitId })).toBe(1);
    await expect(repository.save(newPayment(id, 'org-789'), { commitId })).rejects.toMatchObject({
      code: 'COMMIT_MISMATCH',
    });
    expect(await eventsOf(id)).toEqual(['PaymentProcessed']);
  });

  it('is never stale: it finds at once what others did to a payment that it has read', async () => {
    const id = uniqueName('payment');
    await repository.save(newPayment(id));
    expect(await repository.findById(id)).toMatchObject({ status: 'processed' });
    await service.payments.execute(id, 'complete');
    expect(await repository.findById(id)).toMatchObject({ status: 'completed', version: 2 });
  });

  it('gives every caller a payment of its own', async () => {
    const id = uniqueName('payment');
    await repository.save(newPayment(id));
    ((await repository.findById(id)) as PaymentAggregate).complete();
    expect(await repository.findById(id)).toMatchObject({ status: 'processed' });
  });

  it('finds no payment where there is none', async () => {
    expect(await repository.findById(uniqueName('nobody'))).toBeUndefined();
    expect(await repository.findByOrganization(uniqueName('nobody'))).toEqual([]);
  });

  it('finds the payments of an organisation, the last one too', async () => {
    const organization = uniqueName('org');
    const ids = [1, 2, 3].map((n) => `${organization}-${n}`);
    for (const id of ids) {
      await repository.save(newPayment(id, organization));
      const found = await repository.findByOrganization(organization);
      expect(found.map((payment) => payment.id)).toEqual(ids.slice(0, ids.indexOf(id) + 1));
    }
  });

  it('finds all of more than a page', async () => {
    const organization = uniqueName('org');
    const ids = Array.from({ length: 501 }, (_, n) => `${organization}-${String(n).padStart(3, '0')}`);
    await Promise.all(
      ids.map((id) => {
        const { uncommittedEvents } = newPayment(id, organization);
        return service.store.appendToStream(`Payment-${id}`, uncommittedEvents);
      }),
    );
    const found = await repository.findByOrganization(organization);
    expect(found.map((payment) => payment.id)).toEqual(ids);
  });

  it('deletes a payment from every query, and keeps its log', async () => {
    const organization = uniqueName('org');
    const id = uniqueName('payment');
    await repository.save(newPayment(id, organization));
    const before = await repository.count();
    const commandId = crypto.randomUUID();
    await repository.delete(id, { reason: 'a test', commandId });
    await repository.delete(id, { reason: 'a test', commandId });

    expect(await repository.findById(id)).toBeUndefined();
    expect(await repository.findByOrganization(organization)).toEqual([]);
    expect(await repository.count()).toBe(before - 1);
    expect(await eventsOf(id)).toEqual(['PaymentProcessed', 'PaymentDeleted']);
  });

  it('deletes no payment that is not there, or is under way', async () => {
    const id = uniqueName('payment');
    const reason = 'a test';
    await expect(repository.delete(id, { reason })).rejects.toMatchObject({ reason: 'NOT_FOUND' });
    await service.payments.execute(id, 'initiate', details('org-456'));
    await expect(repository.delete(id, { reason })).rejects.toMatchObject({ reason: 'NOT_ALLOWED' });
  });

  it('counts what was saved just before', async () => {
    const before = await repository.count();
    await repository.save(newPayment(uniqueName('payment')));
    expect(await repository.count()).toBe(before + 1);
  });

  const alone = (): TemporalPaymentRepository =>
    new TemporalPaymentRepository({
      client: service.client,
      taskQueue: uniqueName('nobody'),
      timeout: 1_000,
    });

  it.each<[string, () => Promise<unknown>]>([
    ['a search', () => alone().findByOrganization('org-456')],
    ['a count', () => alone().count()],
    ['a delete', () => alone().delete('1', { reason: 'a test' })],
  ])('says that nobody answers, where %s finds no worker', async (_what, call) => {
    await expect(call()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('says with which commit id to save again, where nobody answers; then it is stored once', async () => {
    const id = uniqueName('payment');
    const payment = newPayment(id);
    const error: unknown = await alone()
      .save(payment)
      .catch((thrown: unknown) => thrown);
    expect(isEventStoreError(error, 'STORE_UNAVAILABLE')).toBe(true);
    const { commitId } = error as { commitId: string };

    await repository.save(payment, { commitId });
    expect(await eventsOf(id)).toEqual(['PaymentProcessed']);
  });

  it('fails a search whose read model has stopped, instead of an old answer', async () => {
    await service.projections.stop('payments');
    try {
      await repository.save(newPayment(uniqueName('payment')));
      await expect(repository.count()).rejects.toMatchObject({ code: 'PROJECTION_BEHIND' });
    } finally {
      await service.projections.start('payments');
    }
  });
});

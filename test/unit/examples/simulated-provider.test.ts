import { describe, expect, it } from 'vitest';
import { SimulatedProvider } from '../../../examples/payment/process/simulated-provider.js';

const amount = { minorUnits: 100, currency: 'EUR' };

describe('SimulatedProvider', () => {
  it.each([
    [1, [71, 80, 84, 98], 489],
    [2, [15, 16, 25, 33], 482],
    [3, [68, 77, 90], 491],
  ])('with seed %d declines these of the first hundred, and 5 %% of 10,000', (seed, first, total) => {
    const provider = new SimulatedProvider({ seed });
    const declined = Array.from({ length: 10_000 }, (_, index) => index + 1).filter((number) =>
      provider.declines(`payment-${number}:authorise`),
    );
    expect(declined.filter((number) => number <= 100)).toEqual(first);
    expect(declined).toHaveLength(total);
  });

  it('reserves and takes once for a key, and gives back all of a payment', async () => {
    const provider = new SimulatedProvider({ failureRate: 0 });
    const authorise = () =>
      provider.authorise({ idempotencyKey: 'a', paymentId: '1', amount, description: '' });
    const first = await authorise();
    expect(await authorise()).toEqual(first);
    expect(provider.charges).toHaveLength(1);
    const authorisationId = first.accepted ? first.reference : '';
    const capture = (idempotencyKey: string) =>
      provider.capture({ idempotencyKey, paymentId: '1', authorisationId });
    expect(await capture('c')).toMatchObject({ accepted: true });
    expect(await capture('c')).toMatchObject({ accepted: true });
    expect(await capture('another')).toMatchObject({ accepted: false });
    await provider.refund({ paymentId: '1' });
    expect(provider.charges).toMatchObject([{ state: 'returned' }]);
  });

  it('shows a payment that is charged under two keys as two charges', async () => {
    const provider = new SimulatedProvider({ failureRate: 0 });
    for (const idempotencyKey of ['a', 'b']) {
      await provider.authorise({ idempotencyKey, paymentId: '1', amount, description: '' });
    }
    expect(provider.charges).toHaveLength(2);
  });

  it('reserves nothing for a payment that was given back', async () => {
    const provider = new SimulatedProvider({ failureRate: 0 });
    await provider.refund({ paymentId: '1' });
    const late = { idempotencyKey: 'late', paymentId: '1', amount, description: '' };
    expect(await provider.authorise(late)).toMatchObject({ accepted: false });
    expect(provider.charges).toEqual([]);
  });

  it.each([{ failureRate: 1.1 }, { failureRate: Number.NaN }, { latency: -1 }, { seed: Infinity }])(
    'refuses %o',
    (options) => {
      expect(() => new SimulatedProvider(options)).toThrow(/give a number/);
    },
  );
});

import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { InvalidArgumentError } from 'temporal-event-store';
import type { Money } from '../domain/money.js';
import type {
  AuthorisationRequest,
  CaptureRequest,
  PaymentProvider,
  ProviderAnswer,
} from './payment-provider.js';

export interface SimulatedProviderOptions {
  /** Decides, with the key of an authorisation, whether it is declined. Default 1. */
  readonly seed?: number;
  /** How many of the authorisations are declined, from 0 to 1. Default 0.05. */
  readonly failureRate?: number;
  /** How long each answer takes, in milliseconds. Default 0. */
  readonly latency?: number;
}

/** Money of a payment, and where it is. */
export interface Charge {
  readonly paymentId: string;
  readonly idempotencyKey: string;
  readonly amount: Money;
  state: 'reserved' | 'taken' | 'returned';
}

/**
 * A provider without money, which declines some payments: the same ones in each run with the same seed, in whichever
 * order they come. Its memory is that of the process.
 */
export class SimulatedProvider implements PaymentProvider {
  readonly #options: Required<SimulatedProviderOptions>;
  readonly #answers = new Map<string, ProviderAnswer>();
  readonly #charges = new Map<string, Charge>();
  readonly #closed = new Set<string>();

  /** @throws InvalidArgumentError for an option that is out of range */
  constructor({ seed = 1, failureRate = 0.05, latency = 0 }: SimulatedProviderOptions = {}) {
    assertWithin('seed', seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    assertWithin('failureRate', failureRate, 0, 1);
    assertWithin('latency', latency, 0, 2 ** 31 - 1);
    this.#options = { seed, failureRate, latency };
  }

  /** Each reservation that was ever made. Of a payment there must never be two. */
  get charges(): readonly Readonly<Charge>[] {
    return [...this.#charges.values()];
  }

  /** Whether an authorisation with this key is declined. */
  declines(idempotencyKey: string): boolean {
    const { seed, failureRate } = this.#options;
    const hash = createHash('sha256').update(`${seed}/${idempotencyKey}`).digest();
    return hash.readUInt32BE() / 2 ** 32 < failureRate;
  }

  async authorise(request: AuthorisationRequest): Promise<ProviderAnswer> {
    return this.#answer(request.idempotencyKey, () => {
      const { idempotencyKey, paymentId, amount } = request;
      if (this.#closed.has(paymentId)) return declined('The payment was given back');
      if (this.declines(idempotencyKey)) return declined('The bank declined the payment');
      const reference = `auth_${createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 16)}`;
      this.#charges.set(reference, { paymentId, idempotencyKey, amount, state: 'reserved' });
      return { accepted: true, reference };
    });
  }

  async capture({ idempotencyKey, authorisationId }: CaptureRequest): Promise<ProviderAnswer> {
    return this.#answer(idempotencyKey, () => {
      const charge = this.#charges.get(authorisationId);
      if (charge?.state !== 'reserved') return declined('Nothing is reserved under this authorisation');
      charge.state = 'taken';
      return { accepted: true, reference: authorisationId };
    });
  }

  async refund({ paymentId }: { readonly paymentId: string }): Promise<void> {
    await delay(this.#options.latency);
    this.#closed.add(paymentId);
    for (const charge of this.#charges.values()) {
      if (charge.paymentId === paymentId) charge.state = 'returned';
    }
  }

  /** The first answer to this key, which is given once. */
  async #answer(key: string, decide: () => ProviderAnswer): Promise<ProviderAnswer> {
    await delay(this.#options.latency);
    const answer = this.#answers.get(key) ?? decide();
    this.#answers.set(key, answer);
    return answer;
  }
}

function declined(reason: string): ProviderAnswer {
  return { accepted: false, reason };
}

function assertWithin(name: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most)) {
    throw new InvalidArgumentError(`${name} is ${value}: give a number from ${least} to ${most}.`);
  }
}

import { AggregateRoot, DomainError } from 'temporal-event-store';
import { z } from 'zod';
import type {
  Cents,
  Creation,
  FineEvent,
  Irregularity,
  Payment,
  Penalty,
  Sending,
  Step,
} from './fine-event.js';

const step = z.object({ on: z.iso.date() });
const cents = z.int().positive();

/** Steps that a fine takes at most once each; it may be paid in parts. */
type OnceOnly = Exclude<FineEvent['type'], 'PaymentReceived' | 'IrregularityRecorded'>;

/** What has to have happened before. */
const previous: Partial<Record<OnceOnly, OnceOnly>> = {
  FineSent: 'FineCreated',
  FineNotified: 'FineSent',
  PenaltyAdded: 'FineNotified',
  SentForCollection: 'PenaltyAdded',
  AppealFiled: 'FineNotified',
  AppealSent: 'AppealFiled',
  AppealDecided: 'AppealSent',
  AppealResultNotified: 'AppealDecided',
  AppealedToJudge: 'FineNotified',
};

/** What nobody does to somebody who has paid. */
const endsWithPayment: readonly OnceOnly[] = ['FineSent', 'PenaltyAdded', 'SentForCollection'];

/**
 * A fine for breaking the highway code:
 *
 *     create → send → notify → addPenalty → collect
 *                        ├─ appeal → sendAppeal → receiveResult → notifyResult
 *                        └─ appealToJudge
 *
 * From its creation on it can be paid, in parts too. Paid in full it is not sent any more, nor raised, nor collected.
 */
export class FineAggregate extends AggregateRoot<FineEvent> {
  static readonly category = 'Fine';
  static readonly commands = {
    create: step.extend({ amount: cents, article: z.string().nullable(), points: z.int().min(0) }),
    send: step.extend({ expense: z.int().min(0) }),
    notify: step,
    addPenalty: step.extend({ amount: cents }),
    pay: step.extend({ amount: cents }),
    collect: step,
    appeal: step,
    sendAppeal: step,
    receiveResult: step,
    notifyResult: step,
    appealToJudge: step,
  };

  amount: Cents = 0;
  expense: Cents = 0;
  paid: Cents = 0;
  taken: FineEvent['type'][] = [];
  irregularities = 0;

  create(creation: Creation): void {
    assertPositive(creation.amount);
    this.#takeOnce('FineCreated');
    this.raise({ type: 'FineCreated', data: creation });
  }

  send(sending: Sending): void {
    this.#takeOnce('FineSent');
    this.raise({ type: 'FineSent', data: sending });
  }

  notify(step: Step): void {
    this.#takeOnce('FineNotified');
    this.raise({ type: 'FineNotified', data: step });
  }

  addPenalty(penalty: Penalty): void {
    this.#takeOnce('PenaltyAdded');
    if (penalty.amount < this.amount) {
      throw new DomainError('A penalty never lowers a fine', { reason: 'PENALTY_TOO_LOW' });
    }
    this.raise({ type: 'PenaltyAdded', data: penalty });
  }

  /** Takes money, also more than is owed: what came has come. */
  pay(payment: Payment): void {
    assertPositive(payment.amount);
    if (!this.taken.includes('FineCreated')) {
      throw new DomainError(`There is no fine ${this.id}`, { reason: 'TOO_EARLY' });
    }
    this.raise({ type: 'PaymentReceived', data: payment });
  }

  collect(step: Step): void {
    this.#takeOnce('SentForCollection');
    this.raise({ type: 'SentForCollection', data: step });
  }

  appeal(step: Step): void {
    this.#takeOnce('AppealFiled');
    this.raise({ type: 'AppealFiled', data: step });
  }

  sendAppeal(step: Step): void {
    this.#takeOnce('AppealSent');
    this.raise({ type: 'AppealSent', data: step });
  }

  receiveResult(step: Step): void {
    this.#takeOnce('AppealDecided');
    this.raise({ type: 'AppealDecided', data: step });
  }

  notifyResult(step: Step): void {
    this.#takeOnce('AppealResultNotified');
    this.raise({ type: 'AppealResultNotified', data: step });
  }

  appealToJudge(step: Step): void {
    this.#takeOnce('AppealedToJudge');
    this.raise({ type: 'AppealedToJudge', data: step });
  }

  /** Keeps what happened against the rules. Not a command: only who knows what did happen may say so. */
  recordIrregularity(irregularity: Irregularity): void {
    this.raise({ type: 'IrregularityRecorded', data: irregularity });
  }

  protected apply({ type, data }: FineEvent): void {
    this.taken.push(type);
    switch (type) {
      case 'FineCreated':
      case 'PenaltyAdded':
        this.amount = data.amount;
        return;
      case 'FineSent':
        this.expense = data.expense;
        return;
      case 'PaymentReceived':
        this.paid += data.amount;
        return;
      case 'IrregularityRecorded':
        this.irregularities++;
    }
  }

  #takeOnce(step: OnceOnly): void {
    const before = previous[step];
    const refuse = (problem: string, reason: string): DomainError =>
      new DomainError(`Fine ${this.id}: no ${step}, ${problem}`, { reason });
    if (this.taken.includes(step)) throw refuse('it happened already', 'ALREADY');
    if (before !== undefined && !this.taken.includes(before)) throw refuse(`no ${before} yet`, 'TOO_EARLY');
    if (endsWithPayment.includes(step) && this.paid >= this.amount + this.expense) {
      throw refuse('it is paid in full', 'PAID_IN_FULL');
    }
  }
}

function assertPositive(amount: Cents): void {
  if (!(amount > 0)) throw new DomainError('An amount is more than nothing', { reason: 'NO_AMOUNT' });
}

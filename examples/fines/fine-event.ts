import type { DomainEvent, JsonValue } from 'temporal-event-store';

/** An amount of euros, in whole cents. */
export type Cents = number;

/** What every step of a fine says. */
export interface Step {
  /** The day in the calendar of the police, `2006-12-31`: in UTC its midnight may be of the year before. */
  readonly on: string;
}

export interface Creation extends Step {
  readonly amount: Cents;
  /** Of the highway code. */
  readonly article: string | null;
  /** Taken off the driving licence. */
  readonly points: number;
}

export interface Sending extends Step {
  /** What sending it cost, for the offender to pay. */
  readonly expense: Cents;
}

export interface Penalty extends Step {
  /** What the fine is from now on; not on top of the old amount. */
  readonly amount: Cents;
}

export interface Payment extends Step {
  readonly amount: Cents;
}

/** Something that happened although the rules forbid it. */
export interface Irregularity extends Step {
  /** The command that the rules refused. */
  readonly command: string;
  readonly payload: JsonValue;
  /** The code of the rule. */
  readonly rule: string;
}

export type FineEvent =
  | DomainEvent<'FineCreated', Creation>
  | DomainEvent<'FineSent', Sending>
  | DomainEvent<'FineNotified', Step>
  | DomainEvent<'PenaltyAdded', Penalty>
  | DomainEvent<'PaymentReceived', Payment>
  | DomainEvent<'SentForCollection', Step>
  | DomainEvent<'AppealFiled', Step>
  | DomainEvent<'AppealSent', Step>
  | DomainEvent<'AppealDecided', Step>
  | DomainEvent<'AppealResultNotified', Step>
  | DomainEvent<'AppealedToJudge', Step>
  | DomainEvent<'IrregularityRecorded', Irregularity>;

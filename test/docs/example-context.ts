// What the examples in doc comments take for granted: they show one thing each and leave out the rest.
import type { Connection } from '@temporalio/client';
import type { ClientBase } from 'pg';
import { z } from 'zod';
import {
  AggregateRoot,
  type Decider,
  type Decision,
  type DomainCommand,
  type DomainEvent,
  type EventRegistry,
} from '../../src/core/index.js';
import { MemoryEventStore } from '../../src/memory/index.js';
import type { PostgresEventStore, PostgresProjectionSink } from '../../src/postgres/index.js';
import { createEventStoreActivities } from '../../src/temporal/activities/index.js';

export { describe, expect, it } from 'vitest';
export { z };
export const store = new MemoryEventStore();
export declare const postgres: PostgresEventStore;
export declare const secret: string;
export declare const broker: { send(messages: readonly object[]): Promise<void> };
export declare function sendReceipt(streamId: string, amount: number): Promise<void>;
export declare const sink: PostgresProjectionSink;
export declare const client: ClientBase;
export const events = [{ type: 'Opened', data: {} }];
export const request = { id: 'request-1' };
export const myActivities = {};
export const activities = createEventStoreActivities({ store });
export declare const connection: Connection;
export declare const paymentEvents: EventRegistry;
export declare const orderEvents: EventRegistry;

export type Deposited = DomainEvent<'Deposited', { readonly amount: number }>;
export type Deposit = DomainCommand<'Deposit', { readonly amount: number }>;
export type PaymentEvent = DomainEvent<'PaymentCaptured', { readonly amount: number }>;

export class Payment extends AggregateRoot<PaymentEvent> {
  static readonly category = 'Payment';
  capture(amount = 1): void {
    this.raise({ type: 'PaymentCaptured', data: { amount } });
  }
  protected apply(): void {
    // The examples look at no state.
  }
}

export class Account extends AggregateRoot<Deposited> {
  static readonly category = 'Account';
  withdraw(amount: number): number {
    return amount;
  }
  protected apply(): void {
    // The examples look at no state.
  }
}

export interface Balance {
  readonly balance: number;
}
export type Withdrawn = DomainEvent<'Withdrawn', { readonly amount: number }>;
export type Transfer = DomainCommand<'Transfer', { readonly amount: number; readonly to: string }>;
export interface Enrol {
  readonly enrolmentId: string;
  readonly course: string;
  readonly student: string;
}
export declare const enrol: Decision<
  unknown,
  Enrol,
  DomainEvent<'CapacityChanged', { seats: number }> | DomainEvent<'Enrolled', { student: string }>
>;

export declare const accountDecider: Decider<unknown, Deposit, Deposited>;
export { accountDecider as account };
export function deposited(amount: number): Deposited {
  return { type: 'Deposited', data: { amount } };
}
export declare class MyStore extends MemoryEventStore {}

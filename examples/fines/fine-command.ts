import type { JsonValue } from 'temporal-event-store';
import { EventLogError } from '../event-log/event-log-error.js';
import type { LogEntry } from '../event-log/log-entry.js';
import type { FineAggregate } from './fine-aggregate.js';
import type { Cents, Creation, Payment, Penalty, Sending, Step } from './fine-event.js';

interface Payloads {
  create: Creation;
  send: Sending;
  notify: Step;
  addPenalty: Penalty;
  pay: Payment;
  collect: Step;
  appeal: Step;
  sendAppeal: Step;
  receiveResult: Step;
  notifyResult: Step;
  appealToJudge: Step;
}

type CommandName = keyof Payloads;

/** A command with its payload. */
export type FineCommand<Name extends CommandName = CommandName> = {
  [N in Name]: { readonly name: N; readonly payload: Payloads[N] };
}[Name];

/** @throws DomainError when a rule says no */
export function give<Name extends CommandName>(
  fine: FineAggregate,
  { name, payload }: FineCommand<Name>,
): void {
  const methods: { [N in CommandName]: (payload: Payloads[N]) => void } = fine;
  methods[name](payload);
}

/** The commands that are only a step, by the activity of the log. */
const steps: Readonly<Record<string, Exclude<CommandName, 'create' | 'send' | 'addPenalty' | 'pay'>>> = {
  'Insert Fine Notification': 'notify',
  'Send for Credit Collection': 'collect',
  'Insert Date Appeal to Prefecture': 'appeal',
  'Send Appeal to Prefecture': 'sendAppeal',
  'Receive Result Appeal from Prefecture': 'receiveResult',
  'Notify Result Appeal to Offender': 'notifyResult',
  'Appeal to Judge': 'appealToJudge',
};

/**
 * What a line of the log of road traffic fines tells the aggregate to do.
 *
 * @throws EventLogError for a line of another log
 */
export function toFineCommand(entry: LogEntry, file: string): FineCommand {
  const { activity, attributes, line } = entry;
  const on = entry.occurredAt.slice(0, 10);
  const cents = (name: string): Cents => {
    const amount = toCents(attributes[name]);
    if (amount !== undefined) return amount;
    throw new EventLogError(`'${activity}' has no '${name}' in euros and cents.`, { file, line });
  };
  switch (activity) {
    case 'Create Fine': {
      const { article, points } = attributes;
      const taken = Number(points ?? 0);
      return {
        name: 'create',
        payload: {
          on,
          amount: cents('amount'),
          article: article === undefined ? null : String(Number(article)),
          points: Number.isInteger(taken) ? taken : 0,
        },
      };
    }
    case 'Send Fine':
      return { name: 'send', payload: { on, expense: cents('expense') } };
    case 'Add penalty':
      return { name: 'addPenalty', payload: { on, amount: cents('amount') } };
    case 'Payment':
      return { name: 'pay', payload: { on, amount: cents('paymentAmount') } };
  }
  const name = Object.hasOwn(steps, activity) ? steps[activity] : undefined;
  if (name === undefined) {
    throw new EventLogError(`'${activity}' is nothing that happens to a fine.`, { file, line });
  }
  return { name, payload: { on } };
}

/** `33.6` of a CSV log or 33.6 of XES, digit by digit: 33.6 * 100 is 3360.0000000000005. */
export function toCents(euros: JsonValue | undefined): Cents | undefined {
  if (typeof euros !== 'string' && typeof euros !== 'number') return undefined;
  const [, whole, fraction = ''] = /^(\d{1,12})(?:\.(\d{1,2})0*)?$/.exec(String(euros)) ?? [];
  return whole === undefined ? undefined : Number(whole) * 100 + Number(fraction.padEnd(2, '0'));
}

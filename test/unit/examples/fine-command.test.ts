import { describe, expect, it } from 'vitest';
import { EventLogError } from '../../../examples/event-log/event-log-error.js';
import { toFineCommand } from '../../../examples/fines/fine-command.js';

const on = '2006-12-31';

function entry(activity: string, attributes: Record<string, string | number> = {}) {
  const occurredAt = `${on}T00:00:00+01:00`;
  return { line: 7, caseId: 'A1', activity, occurredAt, attributes, caseAttributes: {}, size: 100 };
}

describe('a line of the log of fines', () => {
  it.each([
    ['Insert Fine Notification', 'notify'],
    ['Send for Credit Collection', 'collect'],
    ['Insert Date Appeal to Prefecture', 'appeal'],
    ['Send Appeal to Prefecture', 'sendAppeal'],
    ['Receive Result Appeal from Prefecture', 'receiveResult'],
    ['Notify Result Appeal to Offender', 'notifyResult'],
    ['Appeal to Judge', 'appealToJudge'],
  ])("'%s' is the command %s, on the day of its own calendar", (activity, name) => {
    expect(toFineCommand(entry(activity), 'log')).toEqual({ name, payload: { on } });
  });

  it.each([
    ['Send Fine', { expense: '11.0' }, { name: 'send', payload: { on, expense: 11_00 } }],
    ['Add penalty', { amount: 71.5 }, { name: 'addPenalty', payload: { on, amount: 71_50 } }],
    ['Payment', { paymentAmount: '33.6' }, { name: 'pay', payload: { on, amount: 33_60 } }],
    [
      'Create Fine',
      { amount: '35.0', article: '157.0', points: '2' },
      { name: 'create', payload: { on, amount: 35_00, article: '157', points: 2 } },
    ],
    [
      'Create Fine',
      { amount: '35.0' },
      { name: 'create', payload: { on, amount: 35_00, article: null, points: 0 } },
    ],
    [
      'Create Fine',
      { amount: '35.0', points: 'none' },
      { name: 'create', payload: { on, amount: 35_00, article: null, points: 0 } },
    ],
  ])("'%s' with %j says how much", (activity, attributes, command) => {
    expect(toFineCommand(entry(activity, attributes), 'log')).toEqual(command);
  });

  it.each([
    ['is no step of a fine', entry('Cancel Fine')],
    ['is a word that objects know', entry('constructor')],
    ['has no amount', entry('Payment', { amount: '1.0' })],
    ['has an amount that is none', entry('Add penalty', { amount: 'much' })],
  ])('is refused where it %s, and the error says which it is', (_what, line) => {
    expect(() => toFineCommand(line, 'fines.csv')).toThrow(EventLogError);
    expect(() => toFineCommand(line, 'fines.csv')).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/fines.csv.*7/s) as unknown }),
    );
  });
});

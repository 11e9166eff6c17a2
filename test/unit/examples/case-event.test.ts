import { describe, expect, it } from 'vitest';
import { caseStreamId, tagOf, toCaseEvent } from '../../../examples/event-log/case-event.js';

const entry = {
  line: 2,
  caseId: 'c1',
  activity: 'Pay',
  occurredAt: '2024-01-02T03:04:05+01:00',
  attributes: { note: 'fine' },
  caseAttributes: { amount: 10 },
  size: 100,
};
const event = { type: 'Pay', occurredAt: entry.occurredAt, tags: ['log:a'] };

describe('a line of a log as an event', () => {
  it('has the activity as its type, and what the log says about it as its data', () => {
    expect(toCaseEvent({ ...entry, resource: 'Ann', lifecycle: 'START' }, 'log:a', false)).toStrictEqual({
      ...event,
      data: { resource: 'Ann', lifecycle: 'START', attributes: { note: 'fine' } },
    });
  });

  it('has nothing for what the log leaves out, and tells of the case when it is the first', () => {
    expect(toCaseEvent(entry, 'log:a', true)).toStrictEqual({
      ...event,
      data: { attributes: { note: 'fine' }, case: { amount: 10 } },
    });
  });

  it('is in the stream of its case', () => {
    expect(caseStreamId('c-1')).toBe('Case-c-1');
  });

  it('is found by a tag that begins as the fingerprint of its log', () => {
    expect(tagOf(`0123456789abcdef${'f'.repeat(48)}`)).toBe('log:0123456789abcdef');
  });
});

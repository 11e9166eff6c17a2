import { expect, it } from 'vitest';
import { describeCases } from '../../../examples/event-log/case-report.js';

const bar = '█'.repeat(50);
const nothing = {
  cases: 0,
  events: 0,
  months: [],
  throughput: { median: 0, p90: 0, longest: 0 },
  transitions: [],
};

it('the report on the cases of a log shows months, times and the first ten kinds of steps', () => {
  const transitions = Array.from({ length: 1_200 }, (_, index) => ({
    activity: 'a',
    next: `${index}`,
    count: 20,
  }));
  const report = describeCases({
    ...nothing,
    months: [
      { month: '2024-01', cases: 4 },
      { month: '2024-02', cases: 0 },
    ],
    throughput: { median: 90, p90: 3_600, longest: 129_600 },
    transitions,
  });
  expect(report.split('\n')).toEqual([
    'Cases that began in each month',
    `  2024-01  4  ${bar}`,
    '  2024-02  0',
    '',
    'Throughput time of a case: median 1.5 minutes, p90 1.0 hours, longest 1.5 days',
    '',
    'What follows what, most often (1,200 kinds)',
    ...Array.from({ length: 10 }, (_, index) => `  a → ${index}  20  ${bar}`),
  ]);
});

it.each([
  [0, '0.0 seconds'],
  [59.9, '59.9 seconds'],
  [60, '1.0 minutes'],
  [3_599, '60.0 minutes'],
  [86_399, '24.0 hours'],
  [86_400, '1.0 days'],
])('%d seconds are %s', (median, text) => {
  expect(describeCases({ ...nothing, throughput: { ...nothing.throughput, median } })).toContain(
    `median ${text},`,
  );
});

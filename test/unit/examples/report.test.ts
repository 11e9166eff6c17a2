import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';
import { describeLog, findLongestStream } from '../../../examples/event-log/report.js';

const happened = (type: string, month: string, tag = 'log:a') => ({
  type,
  data: {},
  tags: [tag],
  occurredAt: `${month}-15T00:00:00Z`,
});

describe('the report on a log', () => {
  it('shows types, months and the longest stream, of this log only', async () => {
    const store = new MemoryEventStore();
    await store.appendToStream('Case-1', [happened('Open', '2024-01'), happened('Check', '2024-03')]);
    await store.appendToStream('Case-2', [
      happened('Open', '2024-03'),
      happened('Check', '2024-03'),
      happened('Close', '2024-03'),
    ]);
    await store.appendToStream(
      'Case-3',
      Array.from({ length: 9 }, () => happened('Other', '2024-02', 'log:b')),
    );
    const full = '█'.repeat(50);
    expect(await describeLog(store, 'log:a')).toBe(
      [
        'Events per type (5 events in 2 streams, 3 types)',
        '  Check  2',
        '  Open   2',
        '  Close  1',
        '',
        'Events per month',
        '  2024-01  1  ████████████▌',
        '  2024-02  0',
        `  2024-03  4  ${full}`,
        '',
        'Longest stream: Case-2 with 3 events',
      ].join('\n'),
    );
  });

  it('shows the most frequent types first, in the order of their names where they are as many', async () => {
    const store = new MemoryEventStore();
    const types = ['b', 'd', 'a', 'c', ...Array.from({ length: 10 }, () => 'z')];
    await store.appendToStream(
      'Case-1',
      types.map((type) => happened(type, '2024-01')),
    );
    expect((await describeLog(store, 'log:a')).split('\n').slice(1, 6)).toEqual([
      '  z  10',
      '  a   1',
      '  b   1',
      '  c   1',
      '  d   1',
    ]);
  });

  it('shows that there is nothing', async () => {
    expect(await describeLog(new MemoryEventStore(), 'log:a')).toContain('Longest stream: none');
  });

  it('takes the first of several longest streams', async () => {
    const store = new MemoryEventStore();
    for (const stream of ['Case-b', 'Case-a']) {
      await store.appendToStream(stream, [happened('Open', '2024-01'), happened('Close', '2024-01')]);
    }
    expect(await findLongestStream(store, 'log:a')).toMatchObject({ streamId: 'Case-b', version: 2 });
  });
});

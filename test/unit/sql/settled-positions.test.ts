import { beforeEach, describe, expect, it } from 'vitest';
import { SettledPositions } from '../../../src/sql/read/settled-positions.js';
import type { SqlPort, SqlRow, SqlValue } from '../../../src/sql/sql-port.js';

/** A database that answers one query after the other, and keeps the values that it was asked with. */
function answering(...answers: readonly (readonly SqlRow[])[]): SqlPort & { asked: (readonly SqlValue[])[] } {
  const left = [...answers];
  const asked: (readonly SqlValue[])[] = [];
  return {
    asked,
    query: (_statement, values) => {
      asked.push(values);
      return Promise.resolve((left.shift() ?? []) as readonly never[]);
    },
  };
}

let settled: SettledPositions;

beforeEach(() => {
  settled = new SettledPositions();
  settled.observe('store');
});

const noHurry = { timeout: 10_000, signal: undefined };

describe('positions that were read', () => {
  it.each([
    ['without a gap are settled', 0, [1, 2, 3], 3, 3],
    ['are settled up to a gap', 0, [1, 2, 4], 2, 2],
    ['are not settled behind a gap at their start', 0, [2, 3], 0, 0],
    ['are settled up to where they began, when there are none', 0, [], 0, 0],
    ['settle nothing where something before them is open', 5, [6, 7], 7, 0],
  ])('%s', (_what, after, positions, end, upTo) => {
    expect(settled.extend(after, positions, settled.known)).toBe(end);
    expect(settled.known.upTo).toBe(upTo);
  });

  it('may have gaps in what is settled', async () => {
    await settled.findUnsettled(answering([]), 10);
    expect(settled.extend(2, [5, 9, 11, 12, 14], settled.known)).toBe(12);
    expect(settled.known.upTo).toBe(12);
  });

  it('never take back what is settled', async () => {
    await settled.findUnsettled(answering([]), 10);
    expect(settled.extend(2, [3], settled.known)).toBe(3);
    expect(settled.known.upTo).toBe(10);
  });
});

describe('contiguous positions', () => {
  it.each([
    ['are settled when they are all there', ['3', '3'], 3, true, 3],
    ['are settled, also those before the one that is asked for', ['2', '2'], 3, false, 2],
    ['are not settled with a gap', ['2', '3'], 3, false, 0],
    ['are not settled when there are none', ['0', null], 3, false, 0],
  ])('%s', async (_what, row, position, isSettled, upTo) => {
    expect(await settled.extendTo(answering([row]), position)).toBe(isSettled);
    expect(settled.known.upTo).toBe(upTo);
  });

  it('go on from what is settled', async () => {
    await settled.findUnsettled(answering([]), 10);
    const port = answering([['2', '12']]);
    expect(await settled.extendTo(port, 12)).toBe(true);
    expect(port.asked).toEqual([[10, 12]]);
    expect(settled.known.upTo).toBe(12);
  });
});

describe('a position that transactions may still commit before', () => {
  it('is settled at once where there are none', async () => {
    expect(await settled.findUnsettled(answering([]), 7)).toEqual(new Set());
    expect(settled.known.upTo).toBe(7);
  });

  it('is not settled while there are', async () => {
    expect(await settled.findUnsettled(answering([['3/1'], ['3/2']]), 7)).toEqual(new Set(['3/1', '3/2']));
    expect(settled.known.upTo).toBe(0);
  });

  it('is settled when all of them have ended; others that began meanwhile do not matter', async () => {
    const port = answering([['3/1'], ['3/2']], [['3/2'], ['4/1']], [['4/1']]);
    await settled.settle(port, 7, new Set(['3/1', '3/2']), noHurry);
    expect(settled.known.upTo).toBe(7);
    expect(await port.query({ text: '', isConstant: true }, [])).toEqual([]);
  });

  it('waits for one that a crash has given another name', async () => {
    const port = answering([['-1/99'], ['4/1']], [['-1/99'], ['4/1']], [['4/1']]);
    await settled.settle(port, 7, new Set(['3/1']), noHurry);
    expect(port.asked).toHaveLength(3);
    expect(settled.known.upTo).toBe(7);
  });

  it('takes a prepared one that was there all along for none of them', async () => {
    await settled.settle(answering([['3/1'], ['-1/99']], [['3/1']], []), 7, new Set(['3/1']), noHurry);
    expect(settled.known.upTo).toBe(7);
  });

  it('is given up when one of them takes too long', async () => {
    const port: SqlPort = { query: () => Promise.resolve([['3/1']] as unknown as readonly never[]) };
    const settling = settled.settle(port, 7, new Set(['3/1']), { ...noHurry, timeout: 5 });
    await expect(settling).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(settled.known.upTo).toBe(0);
  });

  it('is given up when the signal aborts', async () => {
    const settling = settled.settle(answering([['3/1']]), 7, new Set(['3/1']), {
      ...noHurry,
      signal: AbortSignal.abort('enough'),
    });
    await expect(settling).rejects.toBe('enough');
    expect(settled.known.upTo).toBe(0);
  });
});

describe('another store in the place of the first', () => {
  it('has nothing settled', async () => {
    await settled.findUnsettled(answering([]), 10);
    expect(settled.observe('store')).toBe(false);
    expect(settled.known.upTo).toBe(10);
    expect(settled.observe('another')).toBe(true);
    expect(settled.known.upTo).toBe(0);
  });

  it('takes over nothing that was asked of the first', async () => {
    const moving = (...rows: readonly SqlRow[]): SqlPort => ({
      query: () => {
        settled.observe(`another, after ${rows.length}`);
        return Promise.resolve(rows as readonly never[]);
      },
    });
    await settled.findUnsettled(moving(), 10);
    expect(settled.known.upTo).toBe(0);
    await settled.extendTo(moving(['3', '3']), 3);
    expect(settled.known.upTo).toBe(0);
  });
});

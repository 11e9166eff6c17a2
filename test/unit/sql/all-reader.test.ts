import { describe, expect, it } from 'vitest';
import type { AllRead } from '../../../src/core/store/read/read-options.js';
import { AllReader } from '../../../src/sql/read/all-reader.js';
import type { SqlPort, SqlRow } from '../../../src/sql/sql-port.js';

const cell = '\u0001';

/** A page as a statement gives it: of these positions, in a store whose last event is at this one. */
function page(last: number, positions: readonly number[], store = 'store'): readonly SqlRow[] {
  const events = positions.map((position) => [
    [position, 'S-1', position, `id-${position}`, 'c', 'T', 1, '{}', 0, '', '{}', '{}'].join(cell),
  ]);
  return [[['', store, last, '', 'place'].join(cell)], ...events];
}

/** A database whose answers a test gives, in the order of the questions. */
class SlowDatabase implements SqlPort {
  readonly #questions: ((rows: readonly SqlRow[]) => void)[] = [];

  async query<T>(
    _statement: unknown,
    _values: unknown,
    map: (row: SqlRow) => T = (row) => row as T,
  ): Promise<readonly T[]> {
    const rows = await new Promise<readonly SqlRow[]>((resolve) => this.#questions.push(resolve));
    return rows.map(map);
  }

  /** @param question from 0, of those without an answer */
  async answer(rows: readonly SqlRow[], question = 0): Promise<void> {
    await new Promise(setImmediate);
    this.#questions.splice(question, 1)[0]?.(rows);
    await new Promise(setImmediate);
  }
}

function readerOn(database: SlowDatabase): (read?: Partial<AllRead>) => Promise<readonly number[]> {
  const reader = new AllReader(database, { settleTimeout: 10_000 });
  return async (read) => {
    const all = { limit: 10, maxBytes: 1_000, direction: 'forward', after: 0, filters: undefined } as const;
    const { events } = await reader.read({ ...all, ...read });
    return events.map(({ position }) => position);
  };
}

const noHolders: readonly SqlRow[] = [];

describe('two readers of one store', () => {
  it('lose no event when one learns that all is settled while the page of the other is on its way', async () => {
    const database = new SlowDatabase();
    const read = readerOn(database);
    const [first, second] = [read(), read()];
    // Both pages were read before the event at 1 was committed; the second arrives late.
    await database.answer(page(2, [2]));
    await database.answer(noHolders, 1);
    await database.answer(page(2, [1, 2]), 1);
    expect(await first).toEqual([1, 2]);

    await database.answer(page(2, [2]));
    await database.answer(noHolders);
    await database.answer(page(2, [1, 2]));
    expect(await second).toEqual([1, 2]);
  });

  it('take nothing for settled that was so in another store, whoever of them notices', async () => {
    const database = new SlowDatabase();
    const read = readerOn(database);
    const before = read();
    await database.answer(page(2, [1, 2], 'old store'));
    expect(await before).toEqual([1, 2]);

    const filtered = read({ filters: [{ types: ['T'] }] as unknown as AllRead['filters'] });
    await new Promise(setImmediate);
    const other = read();
    await database.answer(page(2, [2], 'new store'), 1);
    // Up to 2, as was settled in the old store: the event at 1 is under way in the new one.
    await database.answer(page(2, [2], 'new store'));
    await database.answer(noHolders);
    await database.answer(page(2, [], 'new store'));
    await database.answer(page(2, [1, 2], 'new store'));
    await database.answer(page(2, [1, 2], 'new store'));
    expect(await other).toEqual([1, 2]);
    await database.answer(page(2, [1, 2], 'new store'));
    expect(await filtered).toEqual([1, 2]);
  });
});

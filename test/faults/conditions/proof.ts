import pg from 'pg';
import { balanceAtFirst, limits } from './racers.js';

interface Filter {
  readonly types?: readonly string[];
  readonly categories?: readonly string[];
  readonly tags?: readonly string[];
}

interface Row {
  readonly position: number;
  readonly stream_id: string;
  readonly commit_id: string;
  readonly category: string;
  readonly type: string;
  readonly tags: readonly string[];
  readonly data: {
    readonly amount?: number;
    readonly condition?: { readonly filter: readonly Filter[]; readonly after: number };
  };
}

/** What the log shows of broken conditions and limits. Read by SQL, and judged by rules written out here once more. */
export async function findBroken(url: string): Promise<{ conditions: number; broken: readonly string[] }> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query<Row>(
    `select position::integer, stream_id, commit_id, category, type, tags, data from event_store.events order by position`,
  );
  await client.end();
  const conditional = rows.filter(({ data }) => data.condition !== undefined);
  return {
    conditions: conditional.length,
    broken: [
      ...conditional.flatMap((row) => conflictsOf(row, rows)),
      ...brokenLimits(rows),
      ...overdrawn(rows),
    ],
  };
}

function conflictsOf(own: Row, rows: readonly Row[]): readonly string[] {
  const { filter, after } = own.data.condition ?? { filter: [], after: 0 };
  return rows
    .slice(indexAfter(rows, after), indexAfter(rows, own.position))
    .filter((other) => other.commit_id !== own.commit_id && filter.some((each) => takes(each, other)))
    .map(
      (other) =>
        `${own.type} at ${own.position} depends on events up to ${after}, but ${other.type} stands at ${other.position}`,
    );
}

/** The index of the first row with a greater position. */
function indexAfter(rows: readonly Row[], position: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle] as Row).position <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}

function takes({ types, categories, tags = [] }: Filter, row: Row): boolean {
  return (
    (types === undefined || types.includes(row.type)) &&
    (categories === undefined || categories.includes(row.category)) &&
    tags.every((tag) => row.tags.includes(tag))
  );
}

function brokenLimits(rows: readonly Row[]): readonly string[] {
  const counts = new Map<string, number>();
  const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
  for (const { type, tags, category } of rows) {
    if (type.startsWith('Elected')) count(`${type} 1`);
    if (type === 'EmailTaken') count(`${tags[0] ?? ''} 1`);
    if (type === 'Seated') count(`${tags[0] ?? ''} ${limits.seats}`);
    if (type === 'Joined') count(`${category} 2`);
    if (type === 'Enrolled') {
      for (const tag of tags) count(`${tag} ${tag.startsWith('course') ? limits.course : limits.student}`);
    }
  }
  return [...counts]
    .filter(([what, number]) => number > Number(what.split(' ').at(-1)))
    .map(([what, number]) => `${what} is there ${number} times`);
}

function overdrawn(rows: readonly Row[]): readonly string[] {
  const balances = new Map<string, number>();
  const broken: string[] = [];
  for (const { type, stream_id: account, data } of rows) {
    if (type !== 'Moved') continue;
    const balance = (balances.get(account) ?? balanceAtFirst) + (data.amount ?? 0);
    balances.set(account, balance);
    if (balance < 0) broken.push(`${account} has ${balance}`);
  }
  return broken;
}

/** Takes the locks of tags away, for a race that must then be lost. */
export async function withoutLocks(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(
    `create or replace function event_store.lock_tags(p_shared text[], p_exclusive text[], p_scope integer) returns void
       language plpgsql as $$ begin end $$`,
  );
  await client.end();
}

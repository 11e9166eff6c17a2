import { deepStrictEqual } from 'node:assert/strict';
import type { Pool } from 'pg';
import { manyTags, plain } from '../conditions/appends.js';
import { markedRowsSql, marks } from '../conditions/marked-rows.js';
import { compareToFirst, measureWays, turnsOf } from '../conditions/way.js';
import type { Contender } from '../contenders/contender.js';
import { ours, schema } from '../contenders/ours.js';
import { selectWithPg } from '../contenders/pg-defaults.js';
import { openPool, runSql } from '../contenders/pg-pool.js';
import { fill, withClient, withDatabases } from '../databases.js';
import { PostgresEventStore } from '../library.js';
import { alternate, median } from '../rounds.js';
import type { Bench, Row, Suite, SuiteReport } from './suite.js';

const table = `${schema}.event_tags`;
const pageSize = 500;

/**
 * A table of the tags, with their positions, that the library hasn't got: what it would give to filtered reads, and take from
 * appends. Only for that decision.
 */
export const tagTable: Suite = { name: 'tag-table', isApart: true, run };

async function run(bench: Bench): Promise<SuiteReport> {
  const reads = await measureReads(bench);
  const rows = [...reads.rows];
  for (const callers of [16, 64]) {
    const workload = `plain, 2 tags, ${callers} callers`;
    const ways = [ours, withTagTable].map((contender) => plain(contender, manyTags(2)));
    rows.push(...(await measureWays(bench, { workload, callers }, ways)));
  }
  const size = bench.settings.size.toLocaleString('en');
  return {
    title: `A table of tags, on a store of ${size} events, a tenth of which carry the tag that is read`,
    rows,
    notes: [
      `Bytes a tag: ${reads.bytes.table} of the table and its key, ${reads.bytes.index} of today’s index.`,
      'Reads: the median time of a page. `pg` takes the plan that PostgreSQL chooses for a condition on the tags; it and `tag table` leave the rows to pg’s own parsers.',
    ],
  };
}

/** Ours, with functions that store each tag of an event. */
const withTagTable: Contender = {
  ...ours,
  name: 'tag table',
  database: 'tag-table',
  async prepare(url) {
    await ours.prepare(url);
    await runSql(url, [createTableSql]);
    await storeTags(url);
  },
};

const createTableSql = `create table ${table} (tag text collate "C", position bigint, primary key (tag, position))`;

/** Adds to the functions that append, what a migration would. */
async function storeTags(url: string): Promise<void> {
  await withClient(url, async (client) => {
    for (const [name, text, replacement] of [
      [
        'append_event',
        'returning events.position into "position";',
        `$&
         insert into ${table} (tag, position) select t.tag, "position" from unnest(p_tags) t (tag);`,
      ],
      [
        'append_members',
        /returning events.position\s*\)/,
        `returning events.position, events.tags
         ), tagged as (
           insert into ${table} (tag, position) select t.tag, a.position from appended a cross join lateral unnest(a.tags) t (tag)
         )`,
      ],
    ] as const) {
      const { rows } = await client.query<{ definition: string }>(
        `select pg_get_functiondef('${schema}.${name}'::regproc) as definition`,
      );
      const { definition } = rows[0]!;
      const changed = definition.replace(text, replacement);
      if (changed === definition) throw new Error(`${name} isn't what it was: it can't be changed here.`);
      await client.query(changed);
    }
  });
}

async function measureReads({ serverUrl, settings, progress }: Bench) {
  const { size } = settings;
  return withDatabases(serverUrl, [ours], async ({ urlOf }) => {
    const url = urlOf(ours);
    progress(`tag-table: fill with ${size.toLocaleString('en')} events`);
    await fill(ours, url, markedRowsSql(size, size));
    await runSql(url, [
      createTableSql,
      `insert into ${table} (tag, position)
       select t.tag, e.position from ${schema}.events e cross join lateral unnest(e.tags) t (tag) order by e.position`,
      `vacuum analyze ${table}`,
      'checkpoint',
    ]);

    const store = await PostgresEventStore.connect({ connectionString: url, schema });
    const pool = openPool(url);
    const { ofTable, ofIndex } = readWithPg(pool);
    const subjects = [
      {
        name: 'ours',
        read: async (after: number) => {
          const filter = { tags: [marks.commonTag] };
          return (await store.readAll({ after, limit: pageSize, filter })).events;
        },
      },
      { name: 'pg', read: ofIndex },
      { name: 'tag table', read: ofTable },
    ];
    const turns = turnsOf(settings);
    const rows: Row[] = [];
    for (const [place, after] of [
      ['from the start', 0],
      ['near the end', size - 1000],
    ] as const) {
      const workload = `page of ${pageSize}, ${place}`;
      progress(`tag-table: ${workload}`);
      const expected = await subjects[0]!.read(after);
      for (const { name, read } of subjects) deepStrictEqual(await read(after), expected, name);
      const values = await alternate(subjects, turns.count, ({ read }) =>
        timeOf(() => read(after), turns.seconds),
      );
      const measured = subjects.map((subject): Row => {
        return { workload, contender: subject.name, unit: 'ms', values: values.get(subject)! };
      });
      rows.push(...compareToFirst(measured));
    }
    await store.close();
    await pool.end();
    return { rows, bytes: await bytesOfTags(url) };
  });
}

/** A page of the events with the tag, by the table and by today's index. */
function readWithPg(pool: Pool) {
  const { select } = selectWithPg(pool, `${schema}.events`);
  return {
    ofTable: (after: number) =>
      select(
        'tag-table',
        `position = any (array(select position from ${table} where tag = $1 and position > $2 order by position limit $3))
         order by position`,
        [marks.commonTag, after, pageSize],
      ),
    ofIndex: (after: number) =>
      select('tag-index', 'tags @> array[$1] and position > $2 order by position limit $3', [
        marks.commonTag,
        after,
        pageSize,
      ]),
  };
}

/** Milliseconds, the median of a turn. */
async function timeOf(read: () => Promise<unknown>, seconds: number): Promise<number> {
  const times: number[] = [];
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
    const start = performance.now();
    await read();
    times.push(performance.now() - start);
  }
  return median(times);
}

async function bytesOfTags(url: string): Promise<{ readonly table: number; readonly index: number }> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ table: number; index: number }>(`
      select pg_total_relation_size('${table}')::float / t.count as table,
        pg_relation_size('${schema}.events_tags_idx')::float / t.count as index
      from (select count(*) as count from ${table}) t`);
    const { table: ofTable, index } = rows[0]!;
    return { table: Math.round(ofTable), index: Math.round(index) };
  });
}

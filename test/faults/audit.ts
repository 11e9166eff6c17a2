import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Client } from 'pg';
import { bulkInsert } from './bulk-insert.js';
import { findOffenders, type Finding } from './findings.js';
import { readJournal, type ReaderLine, type WriterLine } from './journal.js';

export interface Audit {
  readonly findings: readonly Finding[];
  readonly counts: {
    readonly events: number;
    readonly acknowledged: number;
    readonly rejected: number;
    readonly seen: number;
    readonly readers: number;
  };
}

const tables = `
  create schema audit;
  create table audit.sent (
    fact text, commit_id text, stream_id text, events integer, sent_at bigint, primary key (commit_id)
  );
  create table audit.acknowledged (commit_id text, version bigint, position bigint, acknowledged_at bigint);
  create table audit.rejected (commit_id text);
  create table audit.seen (reader text, place bigint, position bigint, id uuid);
  create view audit.stored as
    select commit_id, stream_id, count(*) as events, min(version) as first, max(version) as last, max(position) as position
    from event_store.events group by commit_id, stream_id`;

/** Each a query for its offenders, on what the store holds and what writers and readers wrote down. */
const invariants: Readonly<Record<string, string>> = {
  'an acknowledged commit is stored as it was acknowledged': `
    select a.commit_id from audit.acknowledged a join audit.sent t using (commit_id)
    left join audit.stored s using (commit_id, stream_id)
    where s.events is distinct from t.events or s.last <> a.version or s.position <> a.position`,
  'a fact is stored once': `
    select e.data ->> 'fact' as fact from event_store.events e
    group by e.data ->> 'fact', e.data ->> 'ordinal' having count(*) > 1`,
  'event ids are unique': 'select id from event_store.events group by id having count(*) > 1',
  'a commit is stored whole and in one piece': `
    select s.commit_id from audit.stored s join audit.sent t using (commit_id)
    where s.events <> t.events or s.last - s.first + 1 <> s.events`,
  'what is stored was sent': `
    select s.commit_id from audit.stored s left join audit.sent t using (commit_id, stream_id) where t.commit_id is null`,
  'what was rejected is not stored':
    'select commit_id from audit.rejected join audit.stored using (commit_id)',
  'versions of a stream are 1, 2, 3 …': `
    select stream_id from event_store.events group by stream_id
    having min(version) <> 1 or max(version) <> count(*) or count(distinct version) <> count(*)
    union all
    select stream_id from event_store.streams s full join (
      select stream_id, max(version) as version from event_store.events group by stream_id
    ) e using (stream_id) where s.version is distinct from e.version`,
  'an append that returned before another began has the lower version': `
    select commit_id from (
      select commit_id, sent_at, min(acknowledged_at) over (
        partition by stream_id order by version desc rows between unbounded preceding and 1 preceding
      ) as later_acknowledged_at
      from audit.acknowledged join audit.sent using (commit_id)
    ) a where later_acknowledged_at < sent_at`,
  'a reader sees every event': `
    select r.reader || ' ' || e.position from (select distinct reader from audit.seen) r
    join event_store.events e on r.reader not like 'one category%' or e.category = 'Hot'
    left join audit.seen s on s.reader = r.reader and s.position = e.position and s.id = e.id
    where s.position is null`,
  'a reader sees events once and in order': `
    select reader || ' ' || position from (
      select reader, position, lag(position) over (partition by reader order by place) as before from audit.seen
    ) s where position <= before`,
  'a reader sees nothing that is not stored': `
    select s.reader || ' ' || s.position from audit.seen s
    left join event_store.events e using (position, id) where e.id is null`,
};

/** Compares, by plain SQL, what a database holds with the journals in a folder. */
export async function audit(url: string, folder: string): Promise<Audit> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(tables);
    const readers = await loadJournals(client, folder);
    await client.query('analyze');
    const findings = await findOffenders(client, invariants);
    const { rows } = await client.query<Omit<Audit['counts'], 'readers'>>(`select
      (select count(*)::integer from event_store.events) as events,
      (select count(*)::integer from audit.acknowledged) as acknowledged,
      (select count(*)::integer from audit.rejected) as rejected,
      (select count(*)::integer from audit.seen) as seen`);
    return { findings, counts: { ...rows[0]!, readers } };
  } finally {
    await client.end();
  }
}

/** Returns how many readers there were. */
async function loadJournals(client: Client, folder: string): Promise<number> {
  const files = await readdir(folder);
  const inserts = {
    sent: bulkInsert(
      client,
      'audit.sent',
      ['text', 'text', 'text', 'integer', 'bigint'],
      'on conflict do nothing',
    ),
    acknowledged: bulkInsert(client, 'audit.acknowledged', ['text', 'bigint', 'bigint', 'bigint']),
    rejected: bulkInsert(client, 'audit.rejected', ['text']),
    seen: bulkInsert(client, 'audit.seen', ['text', 'bigint', 'bigint', 'uuid']),
  };
  for (const file of files.filter((name) => name.endsWith('.writer'))) {
    for await (const line of readJournal<WriterLine>(join(folder, file))) {
      if (line[0] === 'sent') {
        const { fact, commitId, streamId, events } = line[1];
        await inserts.sent.add(fact, commitId, streamId, events, line[2]);
      } else if (line[0] === 'acknowledged') {
        await inserts.acknowledged.add(...line.slice(1));
      } else {
        await inserts.rejected.add(line[1]);
      }
    }
  }
  const readers = files.filter((name) => name.endsWith('.reader'));
  for (const file of readers) {
    let place = 0;
    for await (const line of readJournal<ReaderLine>(join(folder, file))) {
      await inserts.seen.add(basename(file, '.reader'), ++place, ...line);
    }
  }
  for (const insert of Object.values(inserts)) await insert.flush();
  return readers.length;
}

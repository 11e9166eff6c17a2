import { query } from './postgres.js';

/** The order in which versions and positions stand, and what belongs together: each query gives what breaks it. */
const invariants: Readonly<Record<string, string>> = {
  'an event is stored twice': 'select id from event_store.events group by id having count(*) > 1',
  'a stream has a gap or a duplicate':
    'select stream_id from event_store.events group by stream_id having count(*) <> max(version) or min(version) <> 1 or count(distinct version) <> count(*)',
  'a stream is at another version than its last event': `
    select from event_store.streams s full join (
      select stream_id, max(version) as version from event_store.events group by stream_id
    ) e using (stream_id) where s.version is distinct from e.version`,
  'positions run against the versions of a stream': `
    select from (
      select position < lag(position) over (partition by stream_id order by version) as is_wrong from event_store.events
    ) e where is_wrong`,
  'the events of a commit are apart':
    'select from event_store.events group by stream_id, commit_id having max(version) - min(version) + 1 <> count(*)',
};

/** Which invariants the stored events break, found by SQL from outside the store. */
export async function brokenInvariants(directUrl: string): Promise<readonly string[]> {
  const broken: string[] = [];
  for (const [name, sql] of Object.entries(invariants)) {
    if ((await query(directUrl, sql)).length > 0) broken.push(name);
  }
  return broken;
}

export async function countEvents(directUrl: string, condition = 'true'): Promise<number> {
  const [row] = await query<{ count: number }>(
    directUrl,
    `select count(*)::integer as count from event_store.events where ${condition}`,
  );
  return row!.count;
}

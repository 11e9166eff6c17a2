import { to } from 'pg-copy-streams';
import { pg } from '../library.js';
import type { Contender, EventData } from './contender.js';
import { ours, schema } from './ours.js';

const statement = `copy (
  select position, stream_id, version, id, commit_id, type, schema_version, data, metadata, tags,
    date_part('epoch', occurred_at), date_part('epoch', recorded_at)
  from ${schema}.events order by position) to stdout`;

/** Our whole table by COPY, in one go instead of pages, and parsed to the same objects: the ceiling of a catch-up. */
export const copy: Contender = {
  ...ours,
  name: 'copy',
  can: ['catchUp'],

  open(url) {
    return Promise.resolve({
      async catchUp(_pageSize, visit) {
        const client = new pg.Client(url);
        await client.connect();
        try {
          const stream = client.query(to(statement));
          let rest = '';
          for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) {
            const lines = (rest + chunk).split('\n');
            rest = lines.pop() ?? '';
            for (const line of lines) if (!visit(parseLine(line))) return;
          }
        } finally {
          await client.end();
        }
      },
      close: () => Promise.resolve(),
    });
  },
};

function parseLine(line: string) {
  const fields = line.split('\t');
  const field = (index: number) => unescape(fields[index]!);
  return {
    id: fields[3]!,
    streamId: field(1),
    version: Number(fields[2]),
    position: Number(fields[0]),
    commitId: field(4),
    type: field(5),
    schemaVersion: Number(fields[6]),
    data: JSON.parse(field(7)) as EventData,
    metadata: JSON.parse(field(8)) as Record<string, unknown>,
    // Those of the benchmark need no quotes.
    tags: field(9).slice(1, -1).split(','),
    occurredAt: toIsoTime(fields[10]!),
    recordedAt: toIsoTime(fields[11]!),
  };
}

function toIsoTime(seconds: string): string {
  return new Date(Math.round(Number(seconds) * 1000)).toISOString();
}

function unescape(text: string): string {
  return text.includes('\\') ? text.replace(/\\(.)/g, (_, char: string) => escapes[char] ?? char) : text;
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

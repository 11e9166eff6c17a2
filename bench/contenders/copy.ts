import type { Submittable } from 'pg';
import type { Readable } from 'node:stream';
import { pg } from '../library-pg.js';
import { loadPeer } from '../peers.js';
import type { Contender, EventData } from './contender.js';
import { ours, schema } from './ours.js';

interface CopyStreams {
  readonly to: (statement: string) => Readable & Submittable;
}

/** Our whole table by COPY, in one go instead of pages, and parsed: the ceiling of a catch-up. */
export const copy: Contender = {
  ...ours,
  name: 'copy',
  can: ['catchUp'],

  async open(url) {
    const { to } = await loadPeer<CopyStreams>('pg-copy-streams');
    return {
      async catchUp(_pageSize, visit) {
        const client = new pg.Client(url);
        await client.connect();
        try {
          const stream = client.query(
            to(`copy (select * from ${schema}.events order by position) to stdout`),
          );
          let rest = '';
          for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) {
            const lines = (rest + chunk).split('\n');
            rest = lines.pop() ?? '';
            for (const line of lines) if (!visit(parseLine(line).data.ref)) return;
          }
        } finally {
          await client.end();
        }
      },
      close: () => Promise.resolve(),
    };
  },
};

/** The same shape as an event of ours, but for the times, which are left as PostgreSQL writes them. */
function parseLine(line: string) {
  const fields = line.split('\t');
  const field = (index: number) => unescape(fields[index]!);
  return {
    position: Number(fields[0]),
    streamId: field(1),
    version: Number(fields[2]),
    id: fields[3]!,
    commitId: field(4),
    type: field(6),
    schemaVersion: Number(fields[7]),
    data: JSON.parse(field(8)) as EventData,
    metadata: JSON.parse(field(9)) as Record<string, unknown>,
    tags: field(11).slice(1, -1).split(','),
    occurredAt: fields[12]!,
    recordedAt: fields[13]!,
  };
}

function unescape(text: string): string {
  return text.includes('\\') ? text.replace(/\\(.)/g, (_, char: string) => escapes[char] ?? char) : text;
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

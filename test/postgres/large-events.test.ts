import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { EventToAppend, RecordedEvent } from 'temporal-event-store';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createDatabase, query } from '../support/postgres.js';

const count = 24;
const megabytes = 48;
const timeout = 60_000;

/** Of events of 1.9 MB. */
let directUrl: string;
beforeAll(async () => {
  ({ directUrl } = await createDatabase());
  const store = await PostgresEventStore.connect({ connectionString: directUrl });
  await store.migrate();
  await store.appendToStream('Big-1', [{ type: 'T', data: { text: 'x'.repeat(1_900_000) } }]);
  await store.close();
  await query(
    directUrl,
    `insert into event_store.events
      (position, stream_id, version, id, commit_id, category, type, schema_version, data, metadata, tags, occurred_at, recorded_at)
     select nextval('event_store.positions'), stream_id, n, gen_random_uuid(), n::text, category, type, schema_version, data,
       metadata, tags, occurred_at, recorded_at
     from event_store.events, generate_series(2, ${count}) n where position = 1`,
  );
  await query(directUrl, `update event_store.streams set version = ${count}`);
}, timeout);

/** In a process whose heap can't grow; see test/support/large-events-process.ts. */
async function readLargeEvents(options: object) {
  const child = spawn(
    process.execPath,
    [
      `--max-old-space-size=${megabytes}`,
      '--import',
      'tsx',
      fileURLToPath(new URL('../support/large-events-process.ts', import.meta.url)),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        TSX_TSCONFIG_PATH: fileURLToPath(new URL('../../tsconfig.build.json', import.meta.url)),
        STORE_URL: directUrl,
        READ_OPTIONS: JSON.stringify(options),
      },
    },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { output, errors };
}

describe(`a process with a heap of ${megabytes} MB`, () => {
  test(
    'reads more large events than it could hold, with the defaults of all that reads',
    { timeout },
    async () => {
      const { output, errors } = await readLargeEvents({});
      expect(errors).toBe('');
      expect(JSON.parse(output)).toEqual({
        all: count,
        filtered: count,
        backward: count,
        stream: count,
        cached: count,
        subscribed: count,
      });
    },
  );

  test('dies of pages that are bounded by the number of events only', { timeout }, async () => {
    const { output, errors } = await readLargeEvents({ maxBytes: Number.MAX_SAFE_INTEGER });
    expect(output).toBe('');
    expect(errors).toContain('heap out of memory');
  });
});

describe('a server', () => {
  const maxBytes = 4_000_000;
  const options = { filter: { categories: ['Big'] } };

  test.each<[string, (store: PostgresEventStore, page: number) => Promise<readonly RecordedEvent[]>]>([
    ['all events', async (store, page) => (await store.readAll({ after: page * 2 })).events],
    ['filtered events', async (store, page) => (await store.readAll({ ...options, after: page * 2 })).events],
    [
      'the last events',
      async (store, page) => (await store.readAll({ direction: 'backward', after: count - page * 2 })).events,
    ],
    [
      'the events of a stream',
      async (store, page) => (await store.readStream('Big-1', { fromVersion: page * 2 + 1 })).events,
    ],
  ])('sends no more than a page holds of %s', async (_what, read) => {
    const sockets: Socket[] = [];
    const stream = (): Socket => {
      sockets.push(new Socket());
      return sockets.at(-1) as Socket;
    };
    const pool = new pg.Pool({ connectionString: directUrl, stream });
    onTestFinished(() => pool.end());
    const store = await PostgresEventStore.connect({ pool, notifications: false });
    const received = (): number => sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0);

    for (let page = 0; page < 3; page++) {
      const before = received();
      expect(await read(store, page)).toHaveLength(2);
      expect(received() - before).toBeLessThan(maxBytes + 20_000);
    }
    await store.close();
  });

  test('measures events that others have stored, whether compressed or not', async () => {
    const { directUrl } = await createDatabase();
    const store = await PostgresEventStore.connect({ connectionString: directUrl });
    onTestFinished(() => store.close());
    await store.migrate();
    const texts = ['€'.repeat(40_000), randomBytes(60_000).toString('hex'), 'small', '€'.repeat(40_000)];
    await store.appendToStream(
      'Others-1',
      texts.map((text) => ({ type: 'T', data: { text } })),
    );
    await query(
      directUrl,
      `set session_replication_role = replica; update event_store.events set bytes = null`,
    );

    const pages = [];
    for (let fromVersion = 1; fromVersion <= texts.length;) {
      const { events } = await store.readStream('Others-1', { fromVersion, maxBytes: 121_000 });
      pages.push(events.length);
      fromVersion += events.length;
    }
    expect(pages).toEqual([1, 2, 1]);
  });

  test('knows the size of an event, by whatever way it was appended', async () => {
    const { directUrl } = await createDatabase();
    const store = await PostgresEventStore.connect({ connectionString: directUrl });
    onTestFinished(() => store.close());
    await store.migrate();
    const event: EventToAppend = {
      type: 'T',
      data: { text: '€'.repeat(40_000) },
      tags: ['a', 'b c', '€'.repeat(300)],
    };
    await store.appendToStream('One-1', [event]);
    await store.appendToStream('Many-1', [event, { type: 'T', data: {} }]);
    await store.appendCommits('Chain-1', [
      { commitId: 'a', events: [event] },
      { commitId: 'b', events: [{ type: 'T', data: {} }] },
    ]);

    const sizes = await query<{ bytes: number; json: number }>(
      directUrl,
      `select bytes, octet_length(data::text) + octet_length(metadata::text) + octet_length(to_json(tags)::text) as json
       from event_store.events`,
    );

    expect(sizes).toHaveLength(5);
    for (const { bytes, json } of sizes) {
      expect(bytes).toBeGreaterThanOrEqual(json);
      expect(bytes).toBeLessThan(json + 100);
    }
  });
});

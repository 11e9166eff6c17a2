import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Pool, PoolClient } from 'pg';
import { Conflict, type Append, type Contender, type EventData } from './contender.js';
import { isUniqueViolation, openPool, runSql } from './pg-pool.js';

/** A row of message-db's functions; `data` and `metadata` are JSON as text. */
interface Message {
  readonly position: string;
  readonly global_position: string;
  readonly data: string;
  readonly metadata: string;
}

/**
 * message-db's SQL, called as its own clients do: a call for each message, and several in a transaction. It reads by
 * category, and here all streams are of one.
 */
export const messageDb: Contender = {
  name: 'message-db',
  database: 'message-db',
  can: ['append', 'load', 'catchUp', 'poll'],
  claimsRepeatsAreSafe: true,
  table: 'message_store.messages',
  storedSql: `
    select (data->>'ref')::bigint as ref, stream_name as stream_id, position + 1 as version from message_store.messages`,

  async prepare(url) {
    const { resolve } = createRequire(import.meta.url);
    const folder = join(dirname(resolve('@eventide/message-db/package.json')), 'database');
    const scripts = await Promise.all(installedFiles.map((file) => readFile(join(folder, file), 'utf8')));
    await runSql(url, [
      'create schema message_store',
      'set search_path to message_store, public',
      ...scripts,
    ]);
  },

  fillSql: (rows) => [
    `insert into message_store.messages (position, stream_name, type, data, metadata)
     select version - 1, stream_id, type, data::jsonb, metadata_with_tags::jsonb from (${rows}) r order by ref`,
  ],

  async open(url) {
    const separator = url.includes('?') ? '&' : '?';
    const pool = openPool(
      `${url}${separator}options=${encodeURIComponent('-c search_path=message_store,public')}`,
    );
    const readCategory = async (from: number, limit: number) => {
      const { rows } = await pool.query<Message>({
        name: 'category',
        text: "select * from get_category_messages('account', $1, $2)",
        values: [from, limit],
      });
      return { events: rows.map(parse), last: Number(rows.at(-1)?.global_position ?? from - 1) };
    };
    return {
      async append(append) {
        try {
          await write(pool, append);
        } catch (error) {
          if (isUniqueViolation(error) || isWrongVersion(error)) throw new Conflict();
          throw error;
        }
      },
      async load(streamId, afterVersion) {
        const { rows } = await pool.query<Message>({
          name: 'stream',
          text: 'select * from get_stream_messages($1, $2, -1)',
          values: [streamId, afterVersion],
        });
        return { version: Number(rows.at(-1)?.position ?? afterVersion - 1) + 1, events: rows.map(parse) };
      },
      async catchUp(limit, visit) {
        for (let from = 1; ;) {
          const { events, last } = await readCategory(from, limit);
          for (const event of events) if (!visit(event)) return;
          if (events.length < limit) return;
          from = last + 1;
        }
      },
      async poll(cursor, limit) {
        const { events, last } = await readCategory(cursor + 1, limit);
        return { refs: events.map(({ data }) => data.ref), cursor: last };
      },
      close: () => pool.end(),
    };
  },
};

function parse(message: Message) {
  return {
    ...message,
    data: JSON.parse(message.data) as EventData,
    metadata: JSON.parse(message.metadata) as unknown,
  };
}

async function write(pool: Pool, append: Append): Promise<void> {
  if (append.events.length === 1) {
    await writeMessage(pool, append, 0);
    return;
  }
  const client = await pool.connect();
  try {
    await client.query('begin');
    for (const index of append.events.keys()) await writeMessage(client, append, index);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

async function writeMessage(connection: Pool | PoolClient, append: Append, index: number): Promise<void> {
  const { id, type, data, metadata, tags } = append.events[index]!;
  await connection.query({
    name: 'write',
    text: 'select write_message($1, $2, $3, $4, $5, $6)',
    values: [
      id,
      append.streamId,
      type,
      JSON.stringify(data),
      JSON.stringify({ ...metadata, tags }),
      // The position of the last message, which starts at 0.
      append.expectedVersion + index - 1,
    ],
  });
}

function isWrongVersion(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Wrong expected version');
}

/** What its `install.sh` runs, but for the role and the views, which need psql and change no result. */
const installedFiles = [
  'tables/messages.sql',
  'types/message.sql',
  'functions/message-store-version.sql',
  'functions/hash-64.sql',
  'functions/acquire-lock.sql',
  'functions/category.sql',
  'functions/is-category.sql',
  'functions/id.sql',
  'functions/cardinal-id.sql',
  'functions/stream-version.sql',
  'functions/write-message.sql',
  'functions/get-stream-messages.sql',
  'functions/get-category-messages.sql',
  'functions/get-last-stream-message.sql',
  'indexes/messages-id.sql',
  'indexes/messages-stream.sql',
  'indexes/messages-category.sql',
];

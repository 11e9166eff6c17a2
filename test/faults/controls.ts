import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';
import { iterateAll } from 'temporal-event-store';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { audit } from './audit.js';
import { isAppend, withClient } from './faults.js';
import { openJournal, readJournal, type ReaderLine, type WriterLine } from './journal.js';
import { lastEvent, readOn } from './reader.js';
import { waitUntil } from './wait.js';
import { write } from './writer.js';

/** An empty store in a database of its own, and a folder for journals. */
interface Arena {
  readonly url: string;
  readonly folder: string;
  readonly store: PostgresEventStore;
}

const fail = (error: unknown): never => {
  throw error;
};

/** Clients and stores that do it wrong. Each must be caught, or the run could find nothing. */
const controls: Readonly<Record<string, (arena: Arena) => Promise<Record<string, number>>>> = {
  async 'a writer that sends again under a new commit id'({ url, folder }) {
    const proxy = await startTcpProxy(url);
    const connection = { connectionString: proxy.url(url), retryTimeout: 0 };
    await using store = await PostgresEventStore.connect(connection);
    let cuts = 0;
    const writing = write({
      store,
      journal: openJournal<WriterLine>(join(folder, 'wrong.writer')),
      name: 'wrong',
      versions: new Map(),
      isFinishing: () => cuts === 3,
      onUnexpected: fail,
      commitIdOf: (fact, attempt) => `${fact} ${attempt}`,
      isConditional: false,
    });
    while (cuts < 3) {
      await proxy.cutAfter(isAppend);
      cuts++;
    }
    await writing;
    await store.close();
    await proxy.close();
    return await caught(url, folder, 'a fact is stored once');
  },

  async 'a reader that goes on from the last position it saw'({ url, folder, store }) {
    const rounds = 5;
    const journal = openJournal<WriterLine>(join(folder, 'held.writer'));
    const naiveFile = join(folder, 'naive.reader');
    const readers = withClient(url, (client) =>
      Promise.all([
        readOn({ file: naiveFile, read: (after) => naively(client, after), onUnexpected: fail }),
        readOn({
          file: join(folder, 'ours.reader'),
          read: (after) => iterateAll(store, { after }),
          onUnexpected: fail,
        }),
      ]),
    );
    const append = async (
      to: Pick<PostgresEventStore, 'appendToStream'>,
      fact: string,
      type = 'Happened',
    ) => {
      journal.write(['sent', { fact, commitId: fact, streamId: `Hot-${fact}`, events: 1 }, Date.now()]);
      const { version, position } = await to.appendToStream(
        `Hot-${fact}`,
        [{ type, data: { fact, ordinal: 0 } }],
        { commitId: fact },
      );
      journal.write(['acknowledged', fact, version, position, Date.now()]);
      return position;
    };
    await withClient(url, async (client) => {
      for (let round = 0; round < rounds; round++) {
        await client.query('begin');
        await append(store.inTransaction(client), `late-${round}`);
        const position = await append(store, `early-${round}`);
        await waitUntil(() => hasRead(naiveFile, position), 'the naive reader has passed the gap');
        await client.query('commit');
      }
    });
    await append(store, 'last', lastEvent);
    await readers;
    // What it misses of each round, and our own reader of none.
    return { ...(await caught(url, folder, 'a reader sees every event')), expected: rounds };
  },

  async 'a store that loses what it has acknowledged'({ url, folder, store }) {
    const journal = openJournal<WriterLine>(join(folder, 'lost.writer'));
    for (const fact of ['kept', 'lost', 'kept too']) {
      journal.write(['sent', { fact, commitId: fact, streamId: 'Cold-1', events: 1 }, Date.now()]);
      const { version, position } = await store.appendToStream(
        'Cold-1',
        [{ type: 'Happened', data: { fact, ordinal: 0 } }],
        { commitId: fact },
      );
      journal.write(['acknowledged', fact, version, position, Date.now()]);
    }
    await withClient(url, (client) =>
      client.query(
        `set session_replication_role = replica; delete from event_store.events where commit_id = 'lost'`,
      ),
    );
    return {
      ...(await caught(url, folder, 'an acknowledged commit is stored as it was acknowledged')),
      expected: 1,
    };
  },
};

/** @throws unless each is caught */
export async function runControls(
  createStore: (name: string) => Promise<{ url: string; store: PostgresEventStore }>,
  folder: string,
  log: (line: string) => void,
): Promise<void> {
  for (const [index, [name, run]] of Object.entries(controls).entries()) {
    const { url, store } = await createStore(`control_${index + 1}`);
    const { offenders = 0, expected } = await run({
      url,
      store,
      folder: await mkdtemp(join(folder, 'control-')),
    });
    await store.close();
    assert.ok(offenders > 0, `${name} must be caught`);
    if (expected !== undefined) assert.equal(offenders, expected, name);
    log(`caught: ${name} (${offenders})`);
  }
}

async function caught(url: string, folder: string, invariant: string): Promise<{ offenders: number }> {
  const { findings } = await audit(url, folder);
  const finding = findings.find((each) => each.invariant === invariant);
  assert.ok(finding, invariant);
  return { offenders: finding.offenders };
}

async function* naively(client: Client, after: number) {
  const { rows } = await client.query<{ position: string; id: string; type: string }>(
    'select position, id, type from event_store.events where position > $1 order by position',
    [after],
  );
  for (const { position, id, type } of rows) yield { position: Number(position), id, type };
}

async function hasRead(file: string, position: number): Promise<boolean> {
  for await (const [read] of readJournal<ReaderLine>(file)) if (read === position) return true;
  return false;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { definePublisher, iterateAll, type RecordedEvent } from 'temporal-event-store';
import { ProjectionClient } from 'temporal-event-store/client';
import { PostgresEventStore } from 'temporal-event-store/postgres';
import { EventStorePlugin } from 'temporal-event-store/worker';
import type { Finding } from '../findings.js';
import { waitUntil } from '../wait.js';

export interface ShardsOptions {
  readonly url: string;
  readonly address: string;
  readonly taskQueue: string;
  readonly workflowBundle: string;
  /** Whether the publisher is told to go on from the end after each change, which loses what it hadn't published. */
  readonly isForgetful?: boolean;
}

const publisherName = 'out';
/** Numbers of shards, one release after the other. */
const releases = [2, 1, 3, 2];
const streams = 20;

/** Changes the number of shards of a publisher under load, old and new workers side by side for a while. */
export async function changeShards(options: ShardsOptions): Promise<readonly Finding[]> {
  const { url, address, taskQueue, isForgetful = false } = options;
  const store = await PostgresEventStore.connect({ connectionString: url });
  const client = new Client({ connection: await Connection.connect({ address }) });
  const projector = new ProjectionClient({ client, taskQueue });
  const received: RecordedEvent[] = [];
  const writer = startWriter(store);
  let last: Release | undefined;
  try {
    for (const shards of releases) {
      const next = await startRelease(options, store, shards, received);
      if (last === undefined) await projector.start(publisherName, { heartbeatTimeout: 2_000 });
      const { length } = received;
      await waitUntil(() => received.length > length + 100, 'the publisher goes on beside the new release');
      await last?.stop();
      last = next;
      await waitUntil(
        async () => (await projector.status(publisherName)).shards === shards,
        `it has ${shards} shards`,
      );
      if (isForgetful) {
        await projector.pause(publisherName);
        await sleep(500);
        const by = { operator: 'Ann', reason: 'the control' };
        await projector.rebase(publisherName, { from: 'end', ...by });
        await projector.resume(publisherName);
      }
    }
    const position = await writer.stop();
    await projector.waitFor(publisherName, position, { timeout: 60_000 });
    return await compare(store, received);
  } finally {
    await writer.stop();
    await projector.stop(publisherName);
    await last?.stop();
    await store.close();
  }
}

interface Release {
  stop(): Promise<void>;
}

async function startRelease(
  { address, taskQueue, workflowBundle }: ShardsOptions,
  store: PostgresEventStore,
  shards: number,
  received: RecordedEvent[],
): Promise<Release> {
  const connection = await NativeConnection.connect({ address });
  const publisher = definePublisher({
    name: publisherName,
    shards,
    pageSize: 10,
    publisher: { publish: async (events) => void received.push(...events) },
  });
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: { codePath: workflowBundle },
    stickyQueueScheduleToStartTimeout: '1 second',
    plugins: [new EventStorePlugin({ store, projections: [publisher] })],
  });
  const running = worker.run();
  return {
    stop: async () => {
      worker.shutdown();
      await running;
      await connection.close();
    },
  };
}

function startWriter(store: PostgresEventStore): { stop(): Promise<number> } {
  let isOver = false;
  let position = 0;
  const write = async (writer: number): Promise<void> => {
    for (let n = 0; !isOver; n++) {
      const stream = `Order-${(writer + 2 * n) % streams}`;
      const result = await store.appendToStream(stream, [{ type: 'Happened', data: {} }]);
      position = Math.max(position, result.position);
      await sleep(10);
    }
  };
  const writing = Promise.all([write(0), write(1)]);
  return {
    stop: async () => {
      isOver = true;
      await writing;
      return position;
    },
  };
}

async function compare(
  store: PostgresEventStore,
  received: readonly RecordedEvent[],
): Promise<readonly Finding[]> {
  const ids = new Set(received.map(({ id }) => id));
  const lost: string[] = [];
  for await (const { id, position } of iterateAll(store)) if (!ids.has(id)) lost.push(String(position));
  const versions = new Map<string, number>();
  const leaps = received.flatMap(({ streamId, version }) => {
    const before = versions.get(streamId) ?? 0;
    versions.set(streamId, Math.max(before, version));
    // A page may come again; nothing may come before what it follows.
    return version > before + 1 ? [`${streamId} ${version} after ${before}`] : [];
  });
  const finding = (invariant: string, offenders: readonly string[]): Finding => ({
    invariant,
    offenders: offenders.length,
    sample: offenders.slice(0, 3).join('; '),
  });
  return [
    finding('every event is published, whatever the number of shards', lost),
    finding('each stream is published in order', leaps),
  ];
}

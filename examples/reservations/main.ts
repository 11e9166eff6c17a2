import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { ProjectionClient } from 'temporal-event-store/client';
import { openStore } from '../open-store.js';
import { installRuntime } from '../runtime.js';
import { startTemporalServer } from '../temporal-server.js';
import { courses } from './story/courses.js';
import { emails } from './story/emails.js';
import { seats } from './story/seats.js';
import type { Chapter } from './story/stage.js';
import { transfers } from './story/transfers.js';
import { createReservationWorker } from './worker.js';

const chapters: readonly Chapter[] = [emails, seats, courses, transfers];
const run = crypto.randomUUID().slice(0, 8);
const taskQueue = `reservations-${run}`;

installRuntime();
const server = await startTemporalServer();
say(`Temporal server at ${server.address} (${server.source}).`);
const { store, place, close } = await openStore({ schema: 'reservations_example' });
say(`The event store is ${place}.`);

const { address, namespace } = server;
const connection = await NativeConnection.connect({ address });
const worker = await createReservationWorker({ connection, namespace, taskQueue, store });
try {
  await worker.runUntil(tellTheStory());
} finally {
  await connection.close();
  await close();
  await server.stop();
}

async function tellTheStory(): Promise<void> {
  const client = new Client({ connection: await Connection.connect({ address }), namespace });
  const projections = new ProjectionClient({ client, taskQueue });
  for (const chapter of chapters) {
    await chapter({
      store,
      client,
      projections,
      named: (name) => `${name}-${run}`,
      title: (text) => {
        say(`\n${text}`);
      },
      say,
    });
  }
}

function say(text: string): void {
  console.log(text);
}

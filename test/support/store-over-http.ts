import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  VersionConflictError,
  type CheckpointStore,
  type EventStore,
  type MultiStreamAppends,
} from 'temporal-event-store';

type Methods = Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;

/** Lets other processes use a store of this one, or its checkpoints: it outlives a worker that is killed. */
export async function serveStore(
  store: EventStore | CheckpointStore,
): Promise<{ url: string; appends(): number; close(): Promise<void> }> {
  let appends = 0;
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { method, args } = JSON.parse(Buffer.concat(chunks).toString()) as {
        method: string;
        args: never[];
      };
      if (method.startsWith('appendToStream')) appends++;
      try {
        const result: unknown = await (store as unknown as Methods)[method]?.(...args);
        response.end(JSON.stringify({ result }));
      } catch (error) {
        const { message } = error as Error;
        response.end(JSON.stringify({ error: { ...(error as object), message } }));
      }
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    appends: () => appends,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** The store behind a URL of {@link serveStore}. */
export function storeAt(url: string): EventStore & MultiStreamAppends {
  const call = callerOf(url);
  return {
    appendToStream: (...args) => call('appendToStream', args),
    appendToStreams: (...args) => call('appendToStreams', args),
    // A signal doesn't travel.
    readStream: (streamId, { signal: _, ...options } = {}) => call('readStream', [streamId, options]),
    readAll: ({ signal: _, ...options } = {}) => call('readAll', [options]),
    findCommit: (...args) => call('findCommit', args),
  };
}

/** The checkpoints behind a URL of {@link serveStore}. */
export function checkpointsAt(url: string): CheckpointStore {
  const call = callerOf(url);
  return {
    load: (...args) => call('load', args),
    save: (...args) => call('save', args),
    delete: (...args) => call('delete', args),
  };
}

function callerOf(url: string) {
  return async <T>(method: string, args: unknown[]): Promise<T> => {
    const response = await fetch(url, { method: 'POST', body: JSON.stringify({ method, args }) });
    const { result, error } = (await response.json()) as { result: T; error?: VersionConflictError };
    if (error?.code === 'VERSION_CONFLICT') throw new VersionConflictError(error.message, error);
    if (error !== undefined) throw new Error(error.message);
    return result;
  };
}

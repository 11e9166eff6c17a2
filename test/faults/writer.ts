import { setTimeout as sleep } from 'node:timers/promises';
import {
  findEventStoreError,
  isEventStoreError,
  type AppendResult,
  type EventStore,
} from 'temporal-event-store';
import type { Journal, SentCommit, WriterLine } from './journal.js';

export interface WriterOptions {
  readonly store: EventStore;
  readonly journal: Journal<WriterLine>;
  /** Another one at each start of a process, so that its facts are new. */
  readonly name: string;
  readonly isFinishing: () => boolean;
  readonly onRetry?: () => void;
  readonly onAppend?: () => void;
  readonly onUnexpected: (error: unknown) => void;
  /** The versions of streams as this process knows them, which another may have passed. */
  readonly versions: Map<string, number>;
  /** The commit id of an attempt. The same for all, in a client that does it right. */
  readonly commitIdOf?: (fact: string, attempt: number) => string;
  /** Whether some of the appends expect a version. Default true. */
  readonly isConditional?: boolean;
}

const coldStreams = 300;
const hotStreams = 3;

/** Appends one commit after the other until it is told to finish. */
export async function write(options: WriterOptions): Promise<void> {
  const { name, versions, isFinishing, commitIdOf, isConditional = true } = options;
  for (let count = 1; !isFinishing(); count++) {
    const fact = `${name}-${count}`;
    const isHot = Math.random() < 0.4;
    const streamId = isHot ? `Hot-${pick(hotStreams)}` : `Cold-${pick(coldStreams)}`;
    const sent: SentCommit = {
      fact,
      commitId: commitIdOf?.(fact, 1) ?? fact,
      streamId,
      events: 1 + pick(3),
      ...(isConditional && Math.random() < 0.3 && { expectedVersion: versions.get(streamId) ?? 0 }),
    };
    options.journal.write(['sent', sent, Date.now()]);
    await settle(options, sent);
    await sleep(Math.random() * 10);
  }
}

/** Sends a commit until the store has told what became of it. */
export async function settle(options: WriterOptions, sent: SentCommit): Promise<void> {
  const { journal, versions, commitIdOf } = options;
  for (let attempt = 1; ; attempt++) {
    const commitId = commitIdOf?.(sent.fact, attempt) ?? sent.commitId;
    if (commitId !== sent.commitId) journal.write(['sent', { ...sent, commitId }, Date.now()]);
    try {
      const result = await append(options.store, sent, commitId);
      journal.write(['acknowledged', commitId, result.version, result.position, Date.now()]);
      versions.set(sent.streamId, Math.max(result.version, versions.get(sent.streamId) ?? 0));
      options.onAppend?.();
      return;
    } catch (error) {
      const conflict = findEventStoreError(error, 'VERSION_CONFLICT');
      if (conflict !== undefined) {
        journal.write(['rejected', commitId]);
        versions.set(sent.streamId, conflict.actualVersion);
        return;
      }
      if (!isEventStoreError(error, 'STORE_UNAVAILABLE')) {
        options.onUnexpected(error);
        return;
      }
      options.onRetry?.();
      // A refused connection is refused at once.
      await sleep(50);
    }
  }
}

async function append(
  store: EventStore,
  { fact, streamId, events, expectedVersion }: SentCommit,
  commitId: string,
): Promise<AppendResult> {
  const send = (): Promise<AppendResult> =>
    store.appendToStream(
      streamId,
      Array.from({ length: events }, (_, ordinal) => ({ type: 'Happened', data: { fact, ordinal } })),
      { commitId, ...(expectedVersion !== undefined && { expectedVersion }) },
    );
  if (Math.random() > 0.02) return send();
  // Some are sent twice at the same time, and the first that is answered has an answer for both.
  const [one, other] = await Promise.allSettled([send(), send()]);
  if (one.status === 'rejected') throw one.reason;
  if (other.status === 'fulfilled' && other.value.version !== one.value.version) {
    throw new Error(`Commit ${commitId} is at versions ${one.value.version} and ${other.value.version}`);
  }
  return one.value;
}

function pick(count: number): number {
  return Math.floor(Math.random() * count);
}

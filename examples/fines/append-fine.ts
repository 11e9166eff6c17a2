import {
  DomainError,
  iterateStream,
  isEventStoreError,
  streamId,
  type Commit,
  type CommitChain,
  type EventStore,
  type RecordedEvent,
} from 'temporal-event-store';
import { FineAggregate } from './fine-aggregate.js';
import { give, type FineCommand } from './fine-command.js';
import type { FineEvent } from './fine-event.js';

/** A line of the log as a command. */
export interface FineLine {
  readonly fineId: string;
  readonly command: FineCommand;
  readonly occurredAt: string;
  /** Who did it. */
  readonly officer: string | undefined;
  /** The same in every attempt: it makes the line happen once. */
  readonly commitId: string;
}

type Past = readonly RecordedEvent<FineEvent>[];

/**
 * Gives a fine the commands of some lines, in one transaction, a commit for each. What its rules refuse is recorded as an
 * irregularity, so that each line is an event. Lines that are stored already are left out.
 *
 * @param tag of all events of the log
 */
export async function appendFine(
  store: EventStore & CommitChain,
  lines: readonly FineLine[],
  tag: string,
  signal?: AbortSignal,
): Promise<void> {
  const [first] = lines;
  if (first === undefined) return;
  const stream = streamId(FineAggregate.category, first.fineId);
  // A fine that is created here has no past, most likely; the append proves it, and that saves a read for most fines.
  let past = first.command.name === 'create' ? [] : await readPast(store, stream);
  for (;;) {
    const commits = decide(first.fineId, past, lines, tag);
    if (commits.length === 0) return;
    try {
      await store.appendCommits(stream, commits, {
        expectedVersion: past.at(-1)?.version ?? 0,
        ...(signal && { signal }),
      });
      return;
    } catch (error) {
      if (!isEventStoreError(error, 'VERSION_CONFLICT') && !isEventStoreError(error, 'COMMIT_EXISTS')) {
        throw error;
      }
      past = await readPast(store, stream);
    }
  }
}

function decide(id: string, past: Past, lines: readonly FineLine[], tag: string): Commit<FineEvent>[] {
  const stored = new Set(past.map(({ commitId }) => commitId));
  const fine = FineAggregate.fromEvents(id, past);
  return lines
    .filter(({ commitId }) => !stored.has(commitId))
    .map(({ command, occurredAt, officer, commitId }) => {
      giveOrRecord(fine, command);
      const events = fine.uncommittedEvents.map((event) => ({ ...event, occurredAt, tags: [tag] }));
      // It will be, before anything comes after it.
      fine.markEventsAsCommitted();
      return { commitId, events, ...(officer !== undefined && { metadata: { actor: officer } }) };
    });
}

function giveOrRecord(fine: FineAggregate, command: FineCommand): void {
  try {
    give(fine, command);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const { name, payload } = command;
    fine.recordIrregularity({
      on: payload.on,
      command: name,
      payload: { ...payload },
      rule: error.reason ?? 'UNKNOWN',
    });
  }
}

async function readPast(store: EventStore, stream: string): Promise<Past> {
  const past: RecordedEvent<FineEvent>[] = [];
  for await (const event of iterateStream<FineEvent>(store, stream)) past.push(event);
  return past;
}

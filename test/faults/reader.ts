import { setTimeout as sleep } from 'node:timers/promises';
import { isEventStoreError, type RecordedEvent } from 'temporal-event-store';
import { openJournal, readJournal, type ReaderLine } from './journal.js';

/** The type of the event that the run appends last, in each category that is read alone. */
export const lastEvent = 'Ended';

export interface ReaderOptions {
  /** Its journal, which it goes on with after the last position that is in it. */
  readonly file: string;
  readonly read: (after: number) => AsyncIterable<Pick<RecordedEvent, 'position' | 'id' | 'type'>>;
  readonly onUnexpected: (error: unknown) => void;
}

/** Writes down all that it reads until the last event, and reads on after each error and each end of `read`. */
export async function readOn({ file, read, onUnexpected }: ReaderOptions): Promise<void> {
  let position = 0;
  for await (const [last] of readJournal<ReaderLine>(file)) position = last;
  const journal = openJournal<ReaderLine>(file);
  for (;;) {
    try {
      for await (const event of read(position)) {
        journal.write([event.position, event.id]);
        position = event.position;
        if (event.type !== lastEvent) continue;
        journal.close();
        return;
      }
    } catch (error) {
      if (!isEventStoreError(error, 'STORE_UNAVAILABLE')) onUnexpected(error);
    }
    await sleep(20);
  }
}

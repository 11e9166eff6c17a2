import type { Client } from '@temporalio/client';
import type { EventData } from '../contenders/contender.js';

export interface Command {
  /** Of the aggregate. */
  readonly id: string;
  readonly commandId: string;
  readonly data: EventData;
}

/** A way to have a command decided and appended. */
export interface CommandContender {
  readonly name: string;
  open(client: Client, taskQueue: string): CommandSession;
}

export interface CommandSession {
  /** Takes half a minute at most, and may be called again with the same command. @returns the version of the aggregate after it */
  send(command: Command): Promise<number>;
  close(): Promise<void>;
}

import type { Client } from '@temporalio/client';
import type { TemporalServer } from '../../dev/temporal-server.js';
import type { Contender } from '../contenders/contender.js';
import type { StatementPer } from './read-model.js';

/** A way to keep a read model. */
export interface ProjectionContender {
  readonly name: string;
  /** Whose events it reads, and in whose database its read model is. */
  readonly source: Contender;
  /** What it can do. */
  readonly statementPer: readonly StatementPer[];
  /** Of the table `balance`. */
  readonly schema: string;
  /** Projects the events of a store that nobody appends to, from the first on, into a read model that isn't there yet. */
  catchUp(place: ProjectionPlace, load: CatchUp): Promise<CaughtUp>;
  /** Runs something while a store that is empty is followed, statement by statement; the read model is there. */
  readonly follow?: <T>(place: ProjectionPlace, run: () => Promise<T>) => Promise<T>;
}

export interface ProjectionPlace {
  /** Of the database of the source. */
  readonly url: string;
  readonly temporal: TemporalServer;
  readonly client: Client;
  /** File with the bundled workflows. */
  readonly codePath: string;
}

export interface CatchUp {
  readonly pageSize: number;
  readonly statementPer: StatementPer;
  /** Of the last event. Refs begin at 1 and have no gaps. */
  readonly lastRef: number;
  /** After which it may stop. */
  readonly maxSeconds: number;
}

export interface CaughtUp {
  /** Of the last event that it has projected. */
  readonly lastRef: number;
  readonly seconds: number;
}

import type {
  BuildSpec,
  EventFailure,
  ParkDecision,
  ParkedEvent,
  ShareKey,
} from '../../core/projections/projection-sink.js';
import { shareOf } from '../../core/projections/share-of.js';
import type { SqlRow } from '../sql-port.js';
import { isoTime } from '../sql-time.js';
import type { SinkDatabase, SqlClient } from './sink-database.js';
import * as statements from './statements.js';

/** The events that were put aside, within transactions of others. */
export class ParkedEvents<Client extends SqlClient> {
  readonly #database: SinkDatabase<Client>;

  constructor(database: SinkDatabase<Client>) {
    this.#database = database;
  }

  async park(
    client: Client,
    { name, build, share }: ShareKey,
    { event, error, attempts }: EventFailure,
    status: 'parked' | 'blocking',
  ): Promise<void> {
    const { id, streamId, position } = event;
    const place = [name, build, share, id, streamId, position];
    const values = [...place, JSON.stringify(event), error, attempts, status];
    await this.#database.query(client, statements.park, values);
  }

  async settle(client: Client, { name, build }: ShareKey, eventId: string): Promise<void> {
    await this.#database.query(client, statements.settle, [name, build, eventId]);
  }

  /** Those that the owner of a share has to know. */
  async ofShare(client: Client, { name, build, share }: ShareKey): Promise<readonly ParkedEvent[]> {
    return (await this.#database.query(client, statements.parkedOfShare, [name, build, share])).map(toParked);
  }

  async ofBuild(client: Client, name: string, build: number): Promise<readonly ParkedEvent[]> {
    return (await this.#database.query(client, statements.parkedOfBuild, [name, build])).map(toParked);
  }

  /** @returns false when there is none that waits */
  async decide(client: Client, name: string, build: number, decision: ParkDecision): Promise<boolean> {
    const key = [name, build, decision.eventId];
    const [found] = await this.#database.query(client, statements.lockParked, key);
    if (found === undefined) return false;
    if (decision.action === 'skip') {
      await this.#database.query(client, statements.skip, [...key, decision.operator, decision.reason]);
    }
    const [status, streamId] = found as [string, string];
    if (status !== 'blocking') {
      await this.#database.query(client, statements.retryStream, [name, build, streamId]);
    } else if (decision.action === 'retry') {
      await this.#database.query(client, statements.settle, key);
    }
    return true;
  }

  /** What an operator has skipped in the live build is skipped for good, so in a new one, too. */
  async skipAsBefore(client: Client, { name, shares }: BuildSpec, build: number): Promise<void> {
    for (const row of await this.#database.query(client, statements.skippedOfLive, [name])) {
      const { event, error, attempts, operator, reason } = toParked(row);
      const share = { name, build, share: shareOf(event.streamId, shares) };
      await this.park(client, share, { event, error, attempts }, 'parked');
      await this.#database.query(client, statements.skip, [
        ...[name, build, event.id],
        ...[operator ?? null, reason ?? null],
      ]);
    }
  }
}

function toParked(row: SqlRow): ParkedEvent {
  const [event, error, attempts, status, operator, reason, parkedAt] = row;
  return {
    event: JSON.parse(event as string) as ParkedEvent['event'],
    error: error as string,
    attempts: Number(attempts),
    status: status as ParkedEvent['status'],
    parkedAt: isoTime(Number(parkedAt)),
    ...(operator !== null && { operator: operator as string, reason: reason as string }),
  };
}

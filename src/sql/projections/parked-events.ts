import type { RecordedEvent } from '../../core/events/event.js';
import type {
  BuildSpec,
  EventFailure,
  ParkDecision,
  ParkedEvent,
  ParkedPlaces,
  ShardKey,
} from '../../core/projections/projection-sink.js';
import { shardOf } from '../../core/projections/shard-of.js';
import { storableText } from '../../core/values/storable-text.js';
import type { SqlRow } from '../sql-port.js';
import { isoTime } from '../sql-time.js';
import type { SinkDatabase, SqlClient } from './sink-database.js';
import * as statements from './statements.js';

/** The parked events, within the callers' transactions. */
export class ParkedEvents<Client extends SqlClient> {
  readonly #database: SinkDatabase<Client>;

  constructor(database: SinkDatabase<Client>) {
    this.#database = database;
  }

  async park(
    client: Client,
    { name, build, shard }: ShardKey,
    { event, error, attempts }: EventFailure,
    status: 'parked' | 'blocking',
  ): Promise<void> {
    const { id, streamId, position, version, type } = event;
    const place = [name, build, shard, id, streamId, position, version, type];
    const values = [...place, JSON.stringify(event), storableText(error), attempts, status];
    await this.#database.query(client, statements.park, values);
  }

  async settle(client: Client, { name, build }: ShardKey, eventId: string): Promise<void> {
    await this.#database.query(client, statements.settle, [name, build, eventId]);
  }

  async parkBehind(
    client: Client,
    { name, build, shard }: ShardKey,
    streamId: string,
    error: string,
  ): Promise<void> {
    await this.#database.query(client, statements.parkBehind, [
      name,
      build,
      shard,
      streamId,
      storableText(error),
    ]);
  }

  async ofShard(client: Client, { name, build, shard }: ShardKey): Promise<ParkedPlaces> {
    const rows = await this.#database.query(client, statements.parkedOfShard, [name, build, shard]);
    const placesOf = (...wanted: readonly unknown[]): readonly string[] => [
      ...new Set(rows.filter(([status]) => wanted.includes(status)).map(([, place]) => place as string)),
    ];
    return {
      streams: placesOf('parked', 'retrying'),
      retrying: placesOf('retrying'),
      skipped: placesOf('skipped'),
      blocking: placesOf('blocking'),
    };
  }

  async nextRetried(
    client: Client,
    { name, build, shard }: ShardKey,
    streamId: string,
  ): Promise<RecordedEvent | undefined> {
    const key = [name, build, shard, streamId];
    const [row] = await this.#database.query(client, statements.nextRetried, key);
    return row === undefined ? undefined : (JSON.parse(row[0] as string) as RecordedEvent);
  }

  async ofBuild(client: Client, name: string, build: number, limit: number): Promise<readonly ParkedEvent[]> {
    return (await this.#database.query(client, statements.parkedOfBuild, [name, build, limit])).map(toParked);
  }

  /** @returns false when no such event waits for a decision */
  async decide(client: Client, name: string, build: number, decision: ParkDecision): Promise<boolean> {
    const key = [name, build, decision.eventId];
    const [found] = await this.#database.query(client, statements.lockParked, key);
    if (found === undefined) return false;
    if (decision.action === 'skip') {
      await this.#database.query(client, statements.skip, [
        ...key,
        storableText(decision.operator),
        storableText(decision.reason),
      ]);
    }
    const [status, streamId] = found as [string, string];
    if (status !== 'blocking') {
      await this.#database.query(client, statements.retryStream, [name, build, streamId]);
    } else if (decision.action === 'retry') {
      await this.#database.query(client, statements.settle, key);
    }
    return true;
  }

  /** Events that an operator has skipped in the live build stay skipped, so in a new build, too. */
  async skipAsBefore(client: Client, { name, shards }: BuildSpec, build: number): Promise<void> {
    for (const row of await this.#database.query(client, statements.skippedOfLive, [name])) {
      const [live, id, streamId] = row as [string, string, string];
      const shard = shardOf(streamId, shards);
      await this.#database.query(client, statements.copySkipped, [name, Number(live), id, build, shard]);
    }
  }
}

function toParked(row: SqlRow): ParkedEvent {
  const [id, streamId, version, position, type, ...rest] = row;
  const [error, attempts, status, operator, reason, parkedAt] = rest;
  return {
    event: {
      id: id as string,
      streamId: streamId as string,
      version: Number(version),
      position: Number(position),
      type: type as string,
    },
    error: error as string,
    attempts: Number(attempts),
    status: status as ParkedEvent['status'],
    parkedAt: isoTime(Number(parkedAt)),
    ...(operator !== null && { operator: operator as string, reason: reason as string }),
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { subscribe, type ShardKey } from 'temporal-event-store';
import {
  PostgresProjectionSink,
  type PostgresEventStore,
  type SqlProjectionContext,
} from 'temporal-event-store/postgres';
import { waitUntil, within } from '../wait.js';

const activities = ['appended', 'read', 'seen', 'projected'] as const;
type Counts = Readonly<Record<(typeof activities)[number], number>>;

/** What a process does that uses a store in each way: it must go on after a fault, with nobody's help. */
export class Traffic {
  /** Commit ids by stream and version, as they were acknowledged. */
  readonly acknowledged = new Map<string, string>();
  /** What the subscription has seen. */
  readonly seen: string[] = [];
  /** Errors that no fault explains. */
  readonly unexpected: string[] = [];
  readonly name: string;
  readonly #store: PostgresEventStore;
  readonly #sink: PostgresProjectionSink;
  readonly #controller = new AbortController();
  #reads = 0;
  #projected = 0;
  #working: Promise<unknown> = Promise.resolve();
  #subscribing: Promise<unknown> = Promise.resolve();
  #isFinishing = false;

  /** @param pool of the projection sink */
  constructor(name: string, store: PostgresEventStore, pool: Pool) {
    this.name = name;
    this.#store = store;
    this.#sink = new PostgresProjectionSink({ pool, schema: `checkpoints_${name}`, operationTimeout: 2_000 });
  }

  start(): void {
    this.#subscribing = this.#subscribe();
    this.#working = Promise.all([
      ...Array.from({ length: 4 }, (_, writer) => this.#write(`Traffic-${this.name}${writer}`)),
      this.#read(),
      this.#project(),
    ]);
  }

  get counts(): Counts {
    return {
      appended: this.acknowledged.size,
      read: this.#reads,
      seen: this.seen.length,
      projected: this.#projected,
    };
  }

  /** Waits until all go on. @throws naming what doesn't */
  async goesOn(after: string, seconds = 10): Promise<void> {
    const { counts } = this;
    for (const activity of activities) {
      await waitUntil(
        () => this.counts[activity] > counts[activity] + 5,
        `${this.name} has ${activity} again after: ${after}`,
        seconds,
      );
    }
  }

  /** Lets what was begun end, and the subscription see all that was appended. */
  async end(): Promise<void> {
    this.#isFinishing = true;
    await within(30, 'all that was begun has ended', this.#working);
    await waitUntil(
      () => new Set(this.seen).size >= this.acknowledged.size,
      'the subscription has seen all that was acknowledged',
    );
    await this.abandon();
  }

  async abandon(): Promise<void> {
    this.#isFinishing = true;
    this.#controller.abort();
    await Promise.all([this.#working, this.#subscribing]);
  }

  /** The same commit again until it is acknowledged, as a caller does. */
  async #write(streamId: string): Promise<void> {
    for (let version = 1; !this.#isFinishing; version++) {
      const commitId = `${streamId}/${version}`;
      await this.#insist(async () => {
        const result = await this.#store.appendToStream(streamId, [{ type: 'Happened', data: {} }], {
          commitId,
        });
        this.acknowledged.set(`${streamId} ${result.version}`, commitId);
      });
      await sleep(5);
    }
  }

  async #read(): Promise<void> {
    while (!this.#isFinishing) {
      await this.#insist(async () => {
        const streamId = `Traffic-${this.name}0`;
        const known = [...this.acknowledged.keys()].filter((key) => key.startsWith(`${streamId} `)).length;
        const { version } = await this.#store.readStream(streamId, { direction: 'backward', limit: 1 });
        // A standby may be behind. Then this doesn't count, and must not stay so.
        if (version >= known) this.#reads++;
        const { storeId } = await this.#store.readAll({ direction: 'backward', limit: 1 });
        await this.#store.checkpoints.save(this.name, { storeId, position: this.#reads });
      });
      await sleep(20);
    }
  }

  async #subscribe(): Promise<void> {
    try {
      const { signal } = this.#controller;
      for await (const event of subscribe(this.#store, { signal })) {
        if (event.streamId.startsWith(`Traffic-${this.name}`)) {
          this.seen.push(`${event.streamId} ${event.version}`);
        }
      }
    } catch (error) {
      this.unexpected.push(`the subscription has ended: ${String(error)}`);
    }
  }

  /** Numbers, one after the other, each with the checkpoint that it is. */
  async #project(): Promise<void> {
    const name = `numbers_${this.name}`;
    while (!this.#isFinishing) {
      await this.#insist(async () => {
        const [live] = await this.#sink.open(
          { name, version: 1, shards: 1 },
          ({ client }: SqlProjectionContext) => client.query('create table number (n integer primary key)'),
        );
        const shard: ShardKey = { name, build: live?.build ?? 0, shard: 0 };
        const { token, checkpoint } = await this.#sink.acquire(shard);
        for (let n = (checkpoint?.position ?? 0) + 1; !this.#isFinishing; n++) {
          await this.#sink.commit(
            shard,
            token,
            { checkpoint: { storeId: 'numbers', position: n }, applied: n, rate: 0 },
            async ({ context: { client } }) => {
              await client.query('insert into number values ($1)', [n]);
            },
          );
          this.#projected++;
          await sleep(10);
        }
      });
    }
  }

  async #insist(call: () => Promise<void>): Promise<void> {
    while (!this.#controller.signal.aborted) {
      try {
        await call();
        return;
      } catch (error) {
        const { code } = error as { code?: string };
        if (!['STORE_UNAVAILABLE', 'UNSAFE_READ'].includes(code ?? '')) this.unexpected.push(String(error));
        await sleep(50);
      }
    }
  }
}

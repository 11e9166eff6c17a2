import type { Event } from '@event-driven-io/emmett';
import {
  postgreSQLEventStoreConsumer,
  postgreSQLProjection,
  type PostgreSQLEventStoreConsumer,
} from '@event-driven-io/emmett-postgresql';
import type { EventData } from '../contenders/contender.js';
import { emmett as source } from '../contenders/emmett.js';
import { runSql } from '../contenders/pg-pool.js';
import { types } from '../workload/events.js';
import type { ProjectionContender } from './contender.js';
import { applyEvents, createBalance } from './read-model.js';

type Message = Event<(typeof types)[number], EventData>;

const schema = 'public';

/** Its consumer with a projector, as they come: 50 ms between two batches. A projector gets one event at a time. */
export const emmett = contender('emmett', undefined);

/** The same without the pause, as well as it can. */
export const emmettWithoutPause = contender('emmett, no pause', 0);

function contender(name: string, pullingFrequencyInMs: number | undefined): ProjectionContender {
  return {
    name,
    source,
    statementPer: ['event'],
    schema,

    async catchUp({ url }, { pageSize, lastRef, maxSeconds }) {
      await runSql(url, ['drop table if exists balance', createBalance, ...forgetSql]);
      const start = performance.now();
      let reached = 0;
      const consumer = consume(url, {
        batchSize: pageSize,
        ...(pullingFrequencyInMs !== undefined && { pullingFrequencyInMs }),
        stopAfter: ({ data }) => {
          reached = data.ref;
          return reached === lastRef || performance.now() > start + maxSeconds * 1000;
        },
      });
      await consumer.start();
      const seconds = (performance.now() - start) / 1000;
      await consumer.close();
      return { lastRef: reached, seconds };
    },

    async follow({ url }, run) {
      await runSql(url, [createBalance]);
      const consumer = consume(url, pullingFrequencyInMs === undefined ? {} : { pullingFrequencyInMs });
      const consuming = consumer.start();
      const result = await run();
      await consumer.close();
      await consuming;
      return result;
    },
  };
}

const forgetSql = ['delete from emt_processors', 'delete from emt_projections'];

function consume(
  url: string,
  {
    stopAfter,
    ...pulling
  }: {
    readonly batchSize?: number;
    readonly pullingFrequencyInMs?: number;
    readonly stopAfter?: (message: Message) => boolean;
  },
): PostgreSQLEventStoreConsumer<Message> {
  const consumer = postgreSQLEventStoreConsumer<Message>({ connectionString: url, pulling });
  consumer.projector<Message>({
    projection: postgreSQLProjection<Message>({
      name: 'balances',
      canHandle: [...types],
      handle: async (events, { connection: { client } }) => {
        const projected = events.map(({ data, metadata }) => ({ streamId: metadata.streamName, data }));
        await applyEvents(client, projected, 'event');
      },
    }),
    ...(stopAfter !== undefined && { stopAfter }),
  });
  return consumer;
}

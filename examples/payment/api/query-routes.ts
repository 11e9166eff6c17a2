import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { AggregateRepository, iterateStream, streamId, type EventStore } from 'temporal-event-store';
import { cachingEventStore } from 'temporal-event-store/cache';
import type { z } from 'zod';
import { PaymentAggregate } from '../domain/payment-aggregate.js';
import type { PaymentEvent } from '../domain/payment-event.js';
import type { PaymentReader } from '../read-models/payment-reader.js';
import { notFound, problemResponses, sendProblem } from './problem.js';
import { history, payment, paymentId, paymentPage, paymentSearch, totals, totalsSearch } from './schemas.js';

export interface QueryRoutesOptions {
  readonly store: EventStore;
  readonly reader: PaymentReader;
}

/**
 * Whatever asks. A payment and its history come from its events, with a cache that is never stale; lists and totals from the
 * read models. Each answer holds all that was stored before it was asked for.
 */
export function addQueryRoutes(instance: FastifyInstance, { store, reader }: QueryRoutesOptions): void {
  const app = instance.withTypeProvider<ZodTypeProvider>();
  const events = cachingEventStore(store, { ttl: 300_000 });
  const payments = new AggregateRepository(events, PaymentAggregate);

  app.get(
    '/payments/:id',
    {
      schema: {
        summary: 'A payment',
        params: paymentId,
        response: { 200: payment, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const found = await payments.find(id);
      if (found === undefined || found.status === 'new' || found.status === 'deleted') {
        sendProblem(reply, request, notFound);
        return reply;
      }
      const { organizationId, description, status, amount, refunded, version } = found;
      return { id, organizationId, description, status, amount, refunded, version };
    },
  );

  app.get(
    '/payments/:id/history',
    {
      schema: {
        summary: 'All that happened to a payment, also to one that was deleted',
        params: paymentId,
        response: { 200: history, ...problemResponses },
      },
    },
    async (request, reply) => {
      const stream = streamId(PaymentAggregate.category, request.params.id);
      const entries: z.input<typeof history> = [];
      for await (const event of iterateStream<PaymentEvent>(events, stream)) {
        const { id: eventId, type, version, occurredAt: timestamp, data, metadata } = event;
        entries.push({ eventId, type, version, timestamp, data: { ...data }, metadata });
      }
      if (entries.length > 0) return entries;
      sendProblem(reply, request, notFound);
      return reply;
    },
  );

  app.get(
    '/payments',
    {
      schema: {
        summary: 'Payments, of an organisation or in a status',
        querystring: paymentSearch,
        response: { 200: paymentPage, ...problemResponses },
      },
    },
    async ({ query: { organization, status, after, limit } }) =>
      reader.payments({
        limit,
        ...(organization !== undefined && { organizationId: organization }),
        ...(status !== undefined && { status }),
        ...(after !== undefined && { after }),
      }),
  );

  app.get(
    '/totals',
    {
      schema: {
        summary: 'What was captured and refunded, by day and currency',
        querystring: totalsSearch,
        response: { 200: totals, ...problemResponses },
      },
    },
    async ({ query: { from, to } }) =>
      reader.totals({ ...(from !== undefined && { from }), ...(to !== undefined && { to }) }),
  );
}

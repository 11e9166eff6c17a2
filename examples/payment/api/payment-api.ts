import swagger from '@fastify/swagger';
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { EventStore } from 'temporal-event-store';
import type { AggregateClient } from 'temporal-event-store/client';
import type { PaymentAggregate } from '../domain/payment-aggregate.js';
import type { PaymentReader } from '../read-models/payment-reader.js';
import { addCommandRoutes } from './command-routes.js';
import { sendErrorAsProblem, sendProblem } from './problem.js';
import { addQueryRoutes } from './query-routes.js';

export interface PaymentApiOptions {
  readonly payments: AggregateClient<typeof PaymentAggregate>;
  readonly store: EventStore;
  readonly reader: PaymentReader;
  /** Milliseconds to wait for the outcome of a command. Default 10,000. */
  readonly commandTimeout?: number;
}

/**
 * The HTTP API of the payment service; its OpenAPI document is at `/openapi.json`. Every error is a problem answer of
 * RFC 9457.
 *
 * @example
 * const api = await createPaymentApi({ payments, store, reader });
 * await api.listen({ port: 3000 });
 */
export async function createPaymentApi({
  commandTimeout = 10_000,
  ...options
}: PaymentApiOptions): Promise<FastifyInstance> {
  const app = Fastify({ bodyLimit: 16_384, logger: { level: 'error' } });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler<FastifyError>(sendErrorAsProblem);
  app.setNotFoundHandler((request, reply) => {
    sendProblem(reply, request, { name: 'no-such-route', title: 'There is nothing here', status: 404 });
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Payments', version: '1.0.0' },
    },
    transform: jsonSchemaTransform,
  });
  addCommandRoutes(app, { ...options, commandTimeout });
  addQueryRoutes(app, options);
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  await app.ready();
  return app;
}

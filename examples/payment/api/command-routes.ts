import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { CommandReceipt } from 'temporal-event-store';
import type { AggregateClient, CommandOptions } from 'temporal-event-store/client';
import type { z } from 'zod';
import type { PaymentAggregate } from '../domain/payment-aggregate.js';
import { problemResponses } from './problem.js';
import {
  authorisation,
  idempotencyKey,
  newPayment,
  nothing,
  paymentId,
  receipt,
  refund,
  withReason,
} from './schemas.js';

export interface CommandRoutesOptions {
  readonly payments: AggregateClient<typeof PaymentAggregate>;
  /** Milliseconds to wait for the outcome of a command. */
  readonly commandTimeout: number;
}

/** Whatever changes a payment. The Idempotency-Key is the id of the command: sent again, it takes no effect again. */
export function addCommandRoutes(
  instance: FastifyInstance,
  { payments, commandTimeout }: CommandRoutesOptions,
): void {
  const app = instance.withTypeProvider<ZodTypeProvider>();
  const responses = { 200: receipt, ...problemResponses };
  const optionsOf = (id: string, headers: z.output<typeof idempotencyKey>): CommandOptions => ({
    commandId: headers['idempotency-key'],
    metadata: { correlationId: `case-${id}`, actor: 'api' },
    timeout: commandTimeout,
  });

  app.post(
    '/payments',
    {
      schema: {
        summary: 'Makes a payment, or begins one',
        description: 'Its id follows from the Idempotency-Key.',
        headers: idempotencyKey,
        body: newPayment,
        response: { 201: receipt, ...problemResponses },
      },
    },
    async ({ headers, body: { intent, ...details } }, reply) => {
      const id = idFrom(headers['idempotency-key']);
      const done = await payments.execute(id, intent, details, optionsOf(id, headers));
      return reply
        .status(201)
        .header('location', `/payments/${id}`)
        .send({ id, ...done });
    },
  );

  function addCommand<Body extends z.ZodType>(
    name: string,
    summary: string,
    body: Body,
    send: (id: string, body: z.output<Body>, options: CommandOptions) => Promise<CommandReceipt>,
  ): void {
    app.post(
      `/payments/:id/${name}`,
      { schema: { summary, headers: idempotencyKey, params: paymentId, body, response: responses } },
      async (request) => {
        const { id } = request.params;
        const headers = request.headers as z.output<typeof idempotencyKey>;
        return { id, ...(await send(id, request.body as z.output<Body>, optionsOf(id, headers))) };
      },
    );
  }
  addCommand('authorise', 'Notes that the money is reserved', authorisation, (id, body, options) =>
    payments.execute(id, 'authorise', body, options),
  );
  addCommand('capture', 'Takes the money that is reserved', nothing, (id, _body, options) =>
    payments.execute(id, 'capture', undefined, options),
  );
  addCommand('complete', 'Ends a payment well', nothing, (id, _body, options) =>
    payments.execute(id, 'complete', undefined, options),
  );
  addCommand('refund', 'Gives money back, all of it or a part', refund, (id, body, options) =>
    payments.execute(id, 'refund', body, options),
  );
  addCommand('cancel', 'Ends a payment before money is taken', withReason, (id, body, options) =>
    payments.execute(id, 'cancel', body, options),
  );
  addCommand('fail', 'Ends a payment that went wrong', withReason, (id, body, options) =>
    payments.execute(id, 'fail', body, options),
  );

  app.delete(
    '/payments/:id',
    {
      schema: {
        summary: 'Takes a payment out of every query',
        description: 'Its events stay in the log, and in its history.',
        headers: idempotencyKey,
        params: paymentId,
        querystring: withReason,
        response: responses,
      },
    },
    async ({ params: { id }, headers, query: { reason } }) => ({
      id,
      ...(await payments.execute(id, 'delete', { reason }, optionsOf(id, headers))),
    }),
  );
}

/** The same payment for the same key, so that a request that is sent again finds it. */
function idFrom(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 32);
}

import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { findEventStoreError } from 'temporal-event-store';
import { z } from 'zod';

/** RFC 9457. */
const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  instance: z.string().optional(),
  reason: z.string().optional().describe('The rule that said no, for programs.'),
  errors: z
    .array(z.object({ in: z.string(), field: z.string(), message: z.string() }))
    .optional()
    .describe('What is wrong with the request.'),
});
type Problem = z.infer<typeof problem>;
type NamedProblem = Omit<Problem, 'type'> & { readonly name: string };

/** What every route may answer. */
export const problemResponses = Object.fromEntries(
  (
    [
      [400, 'The request is malformed'],
      [404, 'There is no such payment'],
      [409, 'The payment is not in a state for that'],
      [422, 'A rule says no, or the Idempotency-Key was used for another request'],
      [500, 'A defect'],
      [503, 'Not now: send the same request again'],
      [504, 'It may have taken effect: send the same request again, with the same Idempotency-Key'],
    ] as const
  ).map(([status, description]) => [
    status,
    { description, content: { 'application/problem+json': { schema: problem } } },
  ]),
);

/** Answers whatever a route has thrown. */
export function sendErrorAsProblem(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const answer = toProblem(error);
  if (answer.status === 500) request.log.error(error);
  sendProblem(reply, request, answer);
}

export function sendProblem(reply: FastifyReply, request: FastifyRequest, answer: NamedProblem): void {
  const { name, ...rest } = answer;
  const type = `https://payments.example/problems/${name}`;
  if (rest.status >= 503) void reply.header('retry-after', '1');
  void reply
    .status(rest.status)
    .type('application/problem+json')
    .send({ type, instance: request.url, ...rest } satisfies Problem);
}

export const notFound: NamedProblem = { name: 'not-found', title: 'There is no such payment', status: 404 };

function toProblem(error: FastifyError): NamedProblem {
  const { validation, validationContext = 'request', statusCode = 500 } = error;
  if (validation !== undefined) {
    const errors = validation.map(({ instancePath, message = 'is malformed' }) => ({
      in: validationContext,
      field: instancePath.slice(1).replaceAll('/', '.'),
      message,
    }));
    return { name: 'invalid-request', title: 'The request is malformed', status: 400, errors };
  }
  const known = fromStoreError(error);
  if (known !== undefined) return known;
  // Fastify's own: no JSON, too large, another media type.
  if (statusCode < 500) {
    return {
      name: 'invalid-request',
      title: 'The request is malformed',
      status: statusCode,
      detail: error.message,
    };
  }
  return { name: 'internal', title: 'Something went wrong', status: 500 };
}

function fromStoreError(thrown: unknown): NamedProblem | undefined {
  const error = findEventStoreError(thrown);
  switch (error?.code) {
    case 'DOMAIN_ERROR': {
      const { reason, message: detail } = error;
      if (reason === 'NOT_FOUND') return { ...notFound, detail, reason };
      const status = reason === 'NOT_ALLOWED' ? 409 : 422;
      return { name: 'refused', title: 'A rule says no', status, detail, ...(reason && { reason }) };
    }
    case 'COMMIT_MISMATCH':
      return {
        name: 'idempotency-key-reused',
        title: 'The Idempotency-Key was used for another request',
        status: 422,
        detail: 'Give each request a key of its own. Nothing was stored.',
      };
    case 'COMMAND_OUTCOME_UNKNOWN':
      return {
        name: 'outcome-unknown',
        title: 'There was no answer in time',
        status: 504,
        detail:
          'It may have taken effect. Send the same request again with the same Idempotency-Key: it takes effect once.',
      };
    case 'STORE_UNAVAILABLE':
    case 'STORE_OVERLOADED':
    case 'STORE_CLOSED':
    case 'PROJECTION_BEHIND':
      return {
        name: 'unavailable',
        title: 'Not now',
        status: 503,
        detail: 'Send the same request again in a moment; a command with the same Idempotency-Key.',
      };
    default:
      return undefined;
  }
}

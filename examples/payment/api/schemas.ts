import { z } from 'zod';

/** Text that every store and every table can hold. */
function text(maxLength: number): z.ZodString {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'has a character that is not text');
}

const name = z
  .string()
  .regex(/^[\w.:-]{1,100}$/, 'must be 1 to 100 letters, digits and _ . : -')
  .meta({ example: 'org-456' });
const reason = text(500);
const status = z.enum([
  'initiated',
  'authorised',
  'processed',
  'completed',
  'failed',
  'cancelled',
  'refunded',
]);
const day = z.iso.date().describe('A day in UTC, YYYY-MM-DD; inclusive.');

const money = z
  .strictObject({
    minorUnits: z.int().positive().describe('In the smallest unit of the currency: cents of EUR.'),
    currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code'),
  })
  .meta({ example: { minorUnits: 10_000, currency: 'EUR' } });

/** What it takes to send a command. */
export const idempotencyKey = z.looseObject({
  'idempotency-key': z
    .string({ error: 'is required, so that a request that is sent again takes effect once' })
    .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible characters')
    .describe('The same for every repetition of this request, and for no other: a UUID, for example.'),
});
export const paymentId = z.strictObject({ id: name });

export const newPayment = z.strictObject({
  intent: z
    .enum(['initiate', 'process'])
    .default('process')
    .describe('`process` takes the money at once; `initiate` leaves that to authorise and capture.'),
  organizationId: name,
  amount: money,
  description: text(500),
});
export const authorisation = z.strictObject({ authorisationId: text(200) });
export const withReason = z.strictObject({ reason });
export const refund = z.strictObject({ amount: money, reason });
export const nothing = z.strictObject({}).nullish();

export const paymentSearch = z.strictObject({
  organization: name.optional(),
  status: status.optional(),
  after: name.optional().describe('The `next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
export const totalsSearch = z
  .strictObject({ from: day.optional(), to: day.optional() })
  .refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
    path: ['to'],
    message: 'must not be before `from`',
  });

export const receipt = z.object({
  id: z.string(),
  version: z.int().describe('Of the payment, after the command.'),
  events: z.array(z.object({ id: z.string(), type: z.string() })).readonly(),
  deduplicated: z.boolean().describe('True when the command had taken effect before.'),
});
export const payment = z.object({
  id: z.string(),
  organizationId: z.string(),
  description: z.string(),
  status,
  amount: money,
  refunded: z.int().describe('Of the amount, in minor units.'),
  version: z.int(),
});
export const paymentPage = z.object({
  payments: z.array(payment.omit({ description: true }).extend({ updatedAt: z.iso.datetime() })).readonly(),
  next: z.string().optional(),
});
export const history = z.array(
  z.object({
    eventId: z.uuid(),
    type: z.string(),
    version: z.int(),
    timestamp: z.iso.datetime(),
    data: z.looseObject({}),
    metadata: z.looseObject({}),
  }),
);
export const totals = z
  .array(
    z.object({
      day,
      currency: z.string(),
      count: z.int(),
      captured: z.string().describe('Minor units, as text: a sum may be larger than a number holds exactly.'),
      refunded: z.string(),
    }),
  )
  .readonly();

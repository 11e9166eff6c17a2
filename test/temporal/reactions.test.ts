import type { Client } from '@temporalio/client';
import {
  defineReaction,
  sendCommand,
  startWorkflow,
  type AnyProjection,
  type DomainEvent,
  type ReactionDefinition,
} from 'temporal-event-store';
import { ProjectionClient } from 'temporal-event-store/client';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { EventStorePlugin } from 'temporal-event-store/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { enrol, opened } from '../support/enrolment.js';
import { connectClient, uniqueName, useWorker, workflowsModule } from '../support/temporal.js';
import { Wallet } from '../support/wallet.js';
import { expectWorkerLog, largePayload } from '../support/worker-log.js';
import type { refund } from './workflows/reactions.js';

expectWorkerLog(
  /No worker knew a command .*(The aggregate 'Purse' is not registered|is not in its list of commands)/,
  largePayload,
  /^WARN activity: A reaction seems to feed itself/,
);

type Failed = DomainEvent<'PaymentFailed', { readonly amount: number }>;

let client: Client;
beforeAll(async () => {
  client = await connectClient();
});

const refunds = (definition: Partial<ReactionDefinition<Failed>> = {}) =>
  defineReaction<Failed>({
    name: uniqueName('refunds'),
    on: 'PaymentFailed',
    maxAttempts: 1,
    handle: ({ streamId, data }) => startWorkflow<typeof refund>('refund', { args: [streamId, data.amount] }),
    ...definition,
  });

async function useReactions(
  store: MemoryEventStore,
  ...projections: readonly AnyProjection[]
): Promise<{ projector: ProjectionClient; taskQueue: string }> {
  const taskQueue = uniqueName('reactions');
  const plugins = [new EventStorePlugin({ store, projections, aggregates: [Wallet, enrol] })];
  await useWorker({ taskQueue, plugins, workflowsPath: workflowsModule('reactions') });
  return { projector: new ProjectionClient({ client, taskQueue }), taskQueue };
}

function fail(store: MemoryEventStore, amount = 5): ReturnType<typeof store.appendToStream> {
  const metadata = { correlationId: 'order-1' };
  return store.appendToStream('Payment-1', [{ type: 'PaymentFailed', data: { amount } }], { metadata });
}

/** Has the events of the store delivered again from the first. */
async function deliverAgain(projector: ProjectionClient, name: string): Promise<void> {
  await projector.rebase(name, { from: 'beginning', operator: 'Ann', reason: 'once more' });
}

describe('a reaction', () => {
  it('starts a workflow once, also when the event comes again after it has ended', async () => {
    const store = new MemoryEventStore();
    let deliveries = 0;
    const reaction = refunds({
      handle: ({ streamId, data }) => {
        deliveries++;
        return startWorkflow<typeof refund>('refund', { args: [streamId, data.amount] });
      },
    });
    const { projector, taskQueue } = await useReactions(store, reaction);
    const { eventIds, position } = await fail(store);
    await projector.start(reaction.name);
    await projector.waitFor(reaction.name, position);

    const started = client.workflow.getHandle(`event-store/reaction/${reaction.name}/${eventIds[0]}/0`);
    expect(await started.result()).toBe('5 for Payment-1');
    const { runId, taskQueue: usedQueue } = await started.describe();
    expect(usedQueue).toBe(taskQueue);

    await deliverAgain(projector, reaction.name);
    await projector.waitFor(reaction.name, position);
    expect(deliveries).toBe(2);
    expect((await started.describe()).runId).toBe(runId);
  });

  it('sends a command once, with what caused it', async () => {
    const store = new MemoryEventStore();
    const reaction = refunds({ handle: ({ data }) => sendCommand(Wallet, '7', 'deposit', data) });
    const { projector } = await useReactions(store, reaction);
    const { eventIds, position } = await fail(store);
    await projector.start(reaction.name);
    await projector.waitFor(reaction.name, position);
    await deliverAgain(projector, reaction.name);
    await projector.waitFor(reaction.name, position);

    const { events } = await store.readStream('Wallet-7');
    expect(events).toMatchObject([
      {
        type: 'Deposited',
        data: { amount: 5 },
        commitId: `event-store/reaction/${reaction.name}/${eventIds[0]}/0`,
        metadata: { causationId: eventIds[0], correlationId: 'order-1' },
      },
    ]);
  });

  it('sends a command of a decision once', async () => {
    const store = new MemoryEventStore();
    const reaction = refunds({
      handle: ({ data }) => sendCommand(enrol, 'enrol', { course: 'A', student: `${data.amount}` }),
    });
    const { projector } = await useReactions(store, reaction);
    await store.appendToStream('Course-a', [opened('a', 1)]);
    const { eventIds, position } = await fail(store);
    await projector.start(reaction.name);
    await projector.waitFor(reaction.name, position);
    await deliverAgain(projector, reaction.name);
    await projector.waitFor(reaction.name, position);

    const { events } = await store.readStream('Enrolment-a-5');
    expect(events).toMatchObject([
      { type: 'Enrolled', metadata: { causationId: eventIds[0], correlationId: 'order-1' } },
    ]);
  });

  it('lets its author say what follows when a rule refuses a command', async () => {
    const store = new MemoryEventStore();
    const reaction = refunds({
      handle: ({ data }) => sendCommand(Wallet, '7', 'withdraw', data),
      onRejected: ({ error, command }) => {
        expect(error).toMatchObject({ reason: 'INSUFFICIENT_FUNDS', details: { balance: 0 } });
        return sendCommand(Wallet, 'reserve', 'deposit', command.payload as { amount: number });
      },
    });
    const { projector } = await useReactions(store, reaction);
    const { position } = await fail(store);
    await projector.start(reaction.name);
    await projector.waitFor(reaction.name, position);
    expect((await store.readStream('Wallet-7')).version).toBe(0);
    expect((await store.readStream('Wallet-reserve')).events).toMatchObject([{ data: { amount: 5 } }]);
  });

  it('stops at the event where nobody says so, until the rule allows it', async () => {
    const store = new MemoryEventStore();
    const reaction = refunds({ handle: ({ data }) => sendCommand(Wallet, '7', 'withdraw', data) });
    const { projector } = await useReactions(store, reaction);
    const { position, eventIds } = await fail(store);
    await projector.start(reaction.name);
    await expect(projector.waitFor(reaction.name, position)).rejects.toMatchObject({
      code: 'PROJECTION_BEHIND',
      message: expect.stringContaining('Only 0 are left') as string,
    });
    expect(await projector.status(reaction.name)).toMatchObject({ state: 'blocked' });

    await store.appendToStream('Wallet-7', [{ type: 'Deposited', data: { amount: 9 } }]);
    await projector.retry(reaction.name, eventIds[0] as string);
    await projector.waitFor(reaction.name, position);
    expect((await store.readStream('Wallet-7')).version).toBe(2);
  });

  it('that feeds itself is warned of, and stops at an event after a while', async () => {
    const store = new MemoryEventStore();
    let goesOn = false;
    const circle = defineReaction<DomainEvent<'Deposited', { readonly amount: number }>>({
      name: uniqueName('circle'),
      on: 'Deposited',
      maxAttempts: 1,
      maxDepth: 20,
      handle: async ({ version, data }) => {
        // Until somebody has seen the warning.
        if (version === 15) await expect.poll(() => goesOn, { timeout: 20_000 }).toBe(true);
        return sendCommand(Wallet, '7', 'deposit', data, { metadata: { reactionDepth: 0 } });
      },
    });
    const { projector } = await useReactions(store, circle);
    // What callers write into their metadata counts for nothing.
    const metadata = { reactionDepth: 1_000 };
    await store.appendToStream('Wallet-7', [{ type: 'Deposited', data: { amount: 1 } }], { metadata });
    await projector.start(circle.name);
    await expect
      .poll(() => projector.status(circle.name), { timeout: 20_000 })
      .toMatchObject({
        state: 'running',
        warning: expect.stringContaining('seems to feed itself') as string,
      });
    goesOn = true;
    await expect
      .poll(() => projector.status(circle.name), { timeout: 20_000 })
      .toMatchObject({
        state: 'blocked',
        blocked: { version: 21, error: expect.stringContaining('20 reactions led to this event') as string },
      });
    const [last] = await projector.parked(circle.name);
    await projector.skip(circle.name, last?.eventId ?? '', { operator: 'Ann', reason: 'a circle' });
    await projector.waitFor(circle.name, 21);
    expect(await projector.status(circle.name)).toMatchObject({ state: 'running', lag: { events: 0 } });
  }, 60_000);

  // At once: each takes its time, in which another worker might come.
  it('stops loudly at an aggregate that no worker knows, and at a command that is not listed', async () => {
    const store = new MemoryEventStore();
    const strange = refunds({ handle: () => sendCommand({ category: 'Purse' }, '7', 'deposit') });
    const unlisted = refunds({ handle: () => sendCommand({ category: 'Wallet' }, '7', 'unlisted') });
    const { projector } = await useReactions(store, strange, unlisted);
    const { position } = await fail(store);
    const ended = async ({ name }: AnyProjection, says: string): Promise<void> => {
      await projector.start(name);
      await expect(projector.waitFor(name, position)).rejects.toMatchObject({
        code: 'PROJECTION_BEHIND',
        message: expect.stringContaining(says) as string,
      });
    };
    await Promise.all([ended(strange, `'Purse' is not registered`), ended(unlisted, 'not in its list')]);
  });

  it.each([
    ['no consequence', () => ({ startWorkfow: {} }) as never, /{ startWorkflow }/],
    [
      'a workflow that Temporal refuses',
      () => startWorkflow('refund', { args: ['x'.repeat(3_000_000)] }),
      /refuses to start the workflow 'refund': .*exceeds/,
    ],
  ])('stops loudly at %s', async (_what, handle, says) => {
    const store = new MemoryEventStore();
    const reaction = refunds({ handle });
    const { projector } = await useReactions(store, reaction);
    const { position } = await fail(store);
    await projector.start(reaction.name);
    await expect(projector.waitFor(reaction.name, position)).rejects.toMatchObject({
      code: 'PROJECTION_BEHIND',
      message: expect.stringMatching(says) as string,
    });
  });
});

import {
  createDecisionHandler,
  defineDecision,
  defineEvents,
  findEventStoreError,
  StoreAccessDeniedError,
  StoreUnavailableError,
  streamId,
  withEvents,
  type DomainCommand,
  type EventStore,
  type MultiStreamAppends,
} from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  AggregateRegistry,
  type AnyDecision,
} from '../../../src/temporal/activities/commands/aggregate-registry.js';
import { CommandExecutor } from '../../../src/temporal/activities/commands/command-executor.js';
import { noMetrics } from '../../../src/temporal/activities/commands/command-metrics.js';
import { withCommitChain } from '../../../src/temporal/activities/commands/commit-chain.js';
import type {
  CommandOutcome,
  ExecuteRequest,
  LaneCommand,
} from '../../../src/temporal/shared/command-lane.js';
import { fromErrorMessage } from '../../../src/temporal/shared/error-message.js';
import { enrol, ofCourse, opened, type EnrolmentEvent } from '../../support/enrolment.js';
import { Wallet } from '../../support/wallet.js';
import { observe, observeStreams } from '../fixtures/observed-store.js';

let store: MemoryEventStore;
let conflicts: number;
let warnings: { readonly message: string; readonly attributes: Record<string, unknown> }[];

beforeEach(async () => {
  store = new MemoryEventStore();
  await store.appendToStream('Course-a', [opened('a', 3)]);
  conflicts = 0;
  warnings = [];
});

/** As a client sends it. */
function sent(student: string, rest: Partial<LaneCommand> = {}): LaneCommand {
  const course = 'a';
  return {
    id: `course:${course}`,
    home: `Enrolment-${course}-${student}`,
    commandId: student,
    name: 'enrol',
    payload: { course, student },
    ...rest,
  };
}

type Execute = (
  commands: readonly LaneCommand[],
  request?: Partial<ExecuteRequest>,
) => Promise<readonly CommandOutcome[]>;

function executorOf(
  over: EventStore & Partial<MultiStreamAppends> = store,
  decision: AnyDecision = enrol,
  batchTimeout = 5_000,
): CommandExecutor & { readonly run: Execute } {
  const executor = new CommandExecutor({
    store: withCommitChain(over),
    aggregates: new AggregateRegistry([decision, Wallet]),
    snapshots: store.snapshots,
    snapshotEvery: 1,
    maxStates: 100,
    maxStateBytes: 1_000_000,
    batchTimeout,
    onWarning: (message, attributes) => warnings.push({ message, attributes }),
  });
  const metrics = { ...noMetrics, onConflict: () => conflicts++ };
  const run: Execute = (commands, request = {}) =>
    executor.execute({ category: 'enrol', commands, ...request }, { workflowId: 'w' }, metrics);
  return Object.assign(executor, { run });
}

const errorOf = (outcome: CommandOutcome | undefined): unknown =>
  outcome !== undefined && 'error' in outcome
    ? findEventStoreError(fromErrorMessage(outcome.error))
    : undefined;

async function students(): Promise<readonly string[]> {
  const { events } = await store.readAll<EnrolmentEvent>({ filter: { types: ['Enrolled'] } });
  return events.flatMap((event) => (event.type === 'Enrolled' ? event.data.student : []));
}

const gate = (): { readonly opened: Promise<void>; readonly open: () => void } => {
  let open: () => void = () => undefined;
  const isOpen = new Promise<void>((resolve) => (open = resolve));
  return { opened: isOpen, open };
};

describe('commands of a decision', () => {
  it('are decided one after the other on all events that the filter takes, and keep its rule', async () => {
    const { run } = executorOf();
    const outcomes = await run(['ann', 'bob', 'cid', 'dot', 'eve'].map((student) => sent(student)));
    expect(outcomes).toMatchObject([
      { kind: 'committed', version: 1, position: 2, types: ['Enrolled'], deduplicated: false },
      { version: 1, position: 3 },
      { version: 1, position: 4 },
      { kind: 'rejected', error: { details: [{ reason: 'COURSE_FULL' }] } },
      { kind: 'rejected' },
    ]);
    const { events } = await store.readStream('Enrolment-a-ann');
    expect(outcomes[0]).toMatchObject({ eventIds: [events[0]?.id] });
    expect(events).toMatchObject([
      { commitId: 'ann', tags: ofCourse('a'), metadata: { causationId: 'ann', workflowId: 'w' } },
    ]);
    expect({ conflicts, warnings }).toEqual({ conflicts: 0, warnings: [] });
  });

  it('keep its rule also when several workers decide at the same time', async () => {
    await store.appendToStream('Course-a', [opened('a', 10)]);
    const workers = [executorOf(), executorOf(), executorOf()];
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, index) => workers[index % 3]!.run([sent(`${index}`)])),
    );
    const kinds = outcomes.flat().map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'committed')).toHaveLength(10);
    expect(kinds.filter((kind) => kind === 'rejected')).toHaveLength(50);
    expect(await students()).toHaveLength(10);
  });

  it('are decided on what the schema of the command makes of the payload', async () => {
    const { run } = executorOf();
    const payload = { course: 'A', student: 'ann' };
    expect(await run([sent('ann', { payload })])).toMatchObject([{ kind: 'committed' }]);
    const wrong = sent('bob', { payload: { course: 1, student: 'bob' } });
    expect(errorOf((await run([wrong]))[0])).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('that change nothing are answered with the version of the home stream, and where they were decided', async () => {
    const { run } = executorOf();
    await run([sent('ann')]);
    await store.appendToStream('Other-1', [{ type: 'Other', data: null }]);
    expect(await run([sent('ann', { commandId: 'again' })])).toMatchObject([
      { kind: 'committed', version: 1, position: 3, types: [], eventIds: [], deduplicated: false },
    ]);
  });

  it('are decided again when others append what they depend on, and only then', async () => {
    const appends = [
      () => store.appendToStream('Enrolment-a-x', [enrolled('x')]),
      () => store.appendToStream('Other-1', [{ type: 'Other', data: null }]),
    ];
    const { store: observed, seen } = observeStreams(store, { append: async () => appends.shift()?.() });
    expect(await executorOf(observed).run([sent('ann')])).toMatchObject([{ kind: 'committed' }]);
    expect(conflicts).toBe(1);
    // On from where it had read.
    expect(seen.allReads.map(({ after }) => after)).toEqual([0, 1]);
    expect(await students()).toEqual(['x', 'ann']);
  });

  it('end with the conflict when others never stop', async () => {
    let others = 0;
    const { store: observed } = observeStreams(store, {
      append: () => store.appendToStream(`Course-a`, [opened('a', 100 + others++)]),
    });
    const [outcome] = await executorOf(observed).run([sent('ann')]);
    expect(errorOf(outcome)).toMatchObject({ code: 'APPEND_CONDITION_FAILED' });
    expect(conflicts).toBe(30);
    expect(warnings).toMatchObject([{ message: 'A command of a decision failed' }]);
    expect(await students()).toEqual([]);
  });
});

describe('a command of a decision that is sent again', () => {
  it('takes effect once, by whichever worker, lane or handler it comes', async () => {
    const [first] = await executorOf().run([sent('ann')]);
    await executorOf().run([sent('bob'), sent('cid')]);
    const again = { kind: 'committed', ...first, deduplicated: true };
    // It would be rejected by now.
    expect(await executorOf().run([sent('ann')])).toEqual([again]);
    expect(await executorOf().run([sent('ann', { id: 'another key' })])).toEqual([again]);
    const handler = createDecisionHandler(store, enrol);
    const command = { type: 'enrol', data: { course: 'a', student: 'ann' } } as const;
    expect(await handler.execute(command, { commandId: 'ann' })).toMatchObject({ deduplicated: true });
    expect(await students()).toEqual(['ann', 'bob', 'cid']);
  });

  it('joins the same one that is under way, and gets its outcome', async () => {
    const { run } = executorOf();
    const [once, twice] = await Promise.all([run([sent('ann')]), run([sent('ann')])]);
    expect([once, twice]).toMatchObject([[{ deduplicated: false }], [{ deduplicated: true }]]);
    expect(await students()).toEqual(['ann']);
  });

  it('is found after a lost reply, in place of a rejection', async () => {
    await executorOf().run([sent('bob'), sent('cid')]);
    const { store: losing } = observeStreams(store);
    losing.appendToStream = async (...args) => {
      await store.appendToStream(...args);
      throw new StoreUnavailableError('No answer.');
    };
    expect(await executorOf(losing).run([sent('ann')])).toMatchObject([{ kind: 'open', reason: 'store' }]);
    expect(await executorOf().run([sent('ann'), sent('dot')])).toMatchObject([
      { kind: 'committed', version: 1, deduplicated: true },
      { kind: 'rejected' },
    ]);
  });

  it('is refused as another command with its id', async () => {
    const { run } = executorOf();
    await run([sent('ann')]);
    const other = sent('ann', { name: 'enrolSlowly' });
    const [outcome] = await run([other]);
    expect(errorOf(outcome)).toMatchObject({ code: 'COMMIT_MISMATCH', streamId: 'Enrolment-a-ann' });
  });

  it('is found by a worker that does not know the decision, and by one that gives it up', async () => {
    await executorOf().run([sent('ann')]);
    const stranger = executorOf(store, defineDecision({ ...enrol, name: 'other' }));
    const request = { category: 'enrol', commands: [sent('ann'), sent('bob')] };
    const open = await stranger.run(request.commands);
    expect(open).toMatchObject([
      { kind: 'open', reason: 'unknown' },
      { kind: 'open', reason: 'unknown' },
    ]);
    const outcomes = await stranger.refuseUnknown(request, open);
    expect(outcomes).toMatchObject([{ version: 1, deduplicated: true }, { kind: 'failed' }]);
    expect(errorOf(outcomes[1])).toMatchObject({
      message: expect.stringContaining(`The decision 'enrol' is not registered`) as unknown,
    });
    const lost = { type: 'lost', message: 'lost', details: [] };
    expect(await stranger.refuse(request, lost)).toMatchObject([{ version: 1 }, { kind: 'failed' }]);
  });
});

describe('a failure of one command of a decision', () => {
  it.each<[string, Partial<AnyDecision>, string]>([
    ['home', { home: fail }, `'home' failed with TypeError`],
    ['filter', { filter: fail }, `'filter' failed with TypeError`],
    ['initialState', { initialState: fail }, `'initialState' failed with TypeError`],
    ['evolve', { evolve: fail }, `event 1, 'Opened' of 'Course-a', failed with TypeError`],
  ])('in %s names what failed, and is certain', async (_name, broken, message) => {
    const decision = defineDecision({ ...enrol, ...broken });
    const [outcome] = await executorOf(store, decision).run([sent('ann')]);
    expect(errorOf(outcome)).toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringContaining(message) as unknown,
    });
    expect(warnings).toMatchObject([
      { message: 'A command of a decision failed', attributes: { decision: 'enrol', commandId: 'ann' } },
    ]);
    expect(await students()).toEqual([]);
  });

  it('leaves the others of its key alone', async () => {
    const fails = sent('bob', { name: 'fail' });
    const outcomes = await executorOf().run([sent('ann'), fails, sent('cid', { name: 'enrolSlowly' })]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['committed', 'failed', 'committed']);
    expect(errorOf(outcomes[1])).toMatchObject({ code: 'COMMAND_FAILED' });
    expect(warnings).toEqual([]);
  });

  it('is an evolve that is asynchronous by mistake', async () => {
    const decision = defineDecision({ ...enrol, evolve: (async () => ({})) as never });
    const [outcome] = await executorOf(store, decision).run([sent('ann')]);
    expect(errorOf(outcome)).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('is a home stream that differs from that of the sender', async () => {
    const home = ({ data }: DomainCommand<string, { student: string }>) => streamId('Student', data.student);
    const decision = defineDecision({ ...enrol, home });
    await executorOf().run([sent('bob')]);
    const outcomes = await executorOf(store, decision).run([sent('ann'), sent('bob')]);
    expect(errorOf(outcomes[0])).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/'Enrolment-a-ann' as its home stream.* 'Student-ann'/) as unknown,
    });
    expect(outcomes[1]).toMatchObject({ kind: 'committed', deduplicated: true });
  });

  it('is a decide that takes too long; what it does later is not appended', async () => {
    const { opened: decided, open } = gate();
    const decision = defineDecision({
      ...enrol,
      async decide(state, command) {
        if (command.data.student === 'ann') await decided;
        return enrol.decide(state, command);
      },
    });
    const { run } = executorOf(store, decision, 20);
    const [late, next] = await run([sent('ann'), sent('bob')], { yieldAfter: 10_000 });
    expect(errorOf(late)).toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringContaining('took longer than 20 ms') as unknown,
    });
    expect(next).toMatchObject({ kind: 'committed' });
    open();
    await new Promise(setImmediate);
    expect(await students()).toEqual(['bob']);
  });

  it('is one that leads to more events than an answer names, also in other streams', async () => {
    const many = Array.from({ length: 1_000 }, () => enrolled('x'));
    const decision = defineDecision({
      ...enrol,
      decide: () => [enrolled('ann'), { streamId: 'Students-1', events: many }],
    });
    const [outcome] = await executorOf(store, decision).run([sent('ann')]);
    expect(errorOf(outcome)).toMatchObject({ code: 'EVENT_TOO_LARGE' });
  });

  it('is a store that denies access, of which operators hear', async () => {
    const { store: closed } = observe(store, {
      read: () => Promise.reject(new StoreAccessDeniedError('No rights.')),
    });
    const [outcome] = await executorOf({ ...closed, findCommit: store.findCommit.bind(store) }).run([
      sent('ann'),
    ]);
    expect(errorOf(outcome)).toMatchObject({ code: 'STORE_ACCESS_DENIED' });
    expect(warnings).toMatchObject([{ message: 'A command of a decision failed' }]);
  });
});

describe('a decision that blocks the process', () => {
  const spin = (): never => {
    for (;;);
  };

  it.each(['home', 'filter', 'initialState', 'evolve', 'decide'])(
    'in %s is interrupted under suspicion, and its outcome is unknown',
    async (name) => {
      const decision = defineDecision({ ...enrol, [name]: spin });
      const begun: string[] = [];
      const executor = executorOf(store, decision, 50);
      const [outcome] = await executor.executeSuspects(
        { category: 'enrol', commands: [sent('ann')], isSuspect: true, yieldAfter: 5_000 },
        {},
        noMetrics,
        async ({ commandId }) => void begun.push(commandId),
      );
      expect(errorOf(outcome)).toMatchObject({ code: 'COMMAND_OUTCOME_UNKNOWN', commandId: 'ann' });
      expect(begun).toEqual(['ann']);
    },
  );
});

describe('commands of a decision stay open', () => {
  it('with those behind them, while the store gives no answer', async () => {
    let reads = 0;
    const { store: away } = observeStreams(store, {
      read: () => (reads++ === 1 ? Promise.reject(new Error('ECONNRESET')) : Promise.resolve()),
    });
    const { run } = executorOf(away);
    const batch = [sent('ann'), sent('bob'), sent('cid')];
    expect((await run(batch)).map(({ kind }) => kind)).toEqual(['committed', 'open', 'open']);
    expect(warnings).toMatchObject([{ message: 'The store gave no answer to the commands of a decision' }]);
    expect(await run(batch)).toMatchObject([{ deduplicated: true }, { version: 1 }, { version: 1 }]);
  });

  it('for a worker of a newer release, when it alone knows an event or the command', async () => {
    const registry = defineEvents({ Opened: {}, Enrolled: {} });
    await store.appendToStream('Course-a', [{ ...opened('a', 4), schemaVersion: 2 }]);
    const typed = withEvents(store, registry) as unknown as EventStore;
    expect(await executorOf(typed).run([sent('ann')])).toMatchObject([{ kind: 'open', reason: 'unknown' }]);
    const { run } = executorOf();
    const outcomes = await run([sent('ann', { name: 'leave' }), sent('bob')]);
    expect(outcomes).toMatchObject([
      { kind: 'open', reason: 'unknown' },
      { kind: 'open', reason: 'unknown' },
    ]);
    expect(await students()).toEqual([]);
  });

  it('when they were sent as those of an aggregate, and those to an aggregate as those of a decision', async () => {
    const { run } = executorOf();
    const { home, ...asOfAggregate } = sent('ann');
    expect(home).toBeDefined();
    const [first] = await run([asOfAggregate]);
    expect(first).toMatchObject({ kind: 'open', reason: 'unknown' });
    expect(errorOf(first)).toMatchObject({
      message: expect.stringContaining(`'enrol' is a decision on this worker`) as unknown,
    });
    const [second] = await run([sent('ann', { name: 'check' })], { category: 'Wallet' });
    expect(second).toMatchObject({ kind: 'open', reason: 'unknown' });
  });
});

describe('a decision that appends to several streams', () => {
  const transfer = defineDecision({
    ...enrol,
    decide: (_state, { data: { student } }) => [
      enrolled(student),
      {
        streamId: `Student-${student}`,
        expectedVersion: 'noStream',
        events: [enrolled(student), opened('b', 1)],
      },
    ],
  });

  it('has a receipt of all parts, and the same when it is sent again', async () => {
    const [outcome] = await executorOf(store, transfer).run([sent('ann')]);
    expect(outcome).toMatchObject({
      version: 1,
      position: 4,
      types: ['Enrolled', 'Enrolled', 'Opened'],
      deduplicated: false,
    });
    const { events } = await store.readAll({ after: 1 });
    expect(outcome).toMatchObject({ eventIds: events.map(({ id }) => id) });
    expect(await executorOf(store, transfer).run([sent('ann')])).toEqual([
      { ...outcome, deduplicated: true },
    ]);
  });

  it('fails at once when another stream is past what it expects', async () => {
    await store.appendToStream('Student-ann', [enrolled('x')]);
    const outcomes = await executorOf(store, transfer).run([sent('ann'), sent('bob')]);
    expect(errorOf(outcomes[0])).toMatchObject({ code: 'VERSION_CONFLICT', streamId: 'Student-ann' });
    expect(outcomes[1]).toMatchObject({ kind: 'committed' });
    expect({ conflicts, warnings }).toEqual({ conflicts: 1, warnings: [] });
  });

  it('fails alone where the store can not', async () => {
    const outcomes = await executorOf(observe(store).store, transfer).run([sent('ann')]);
    expect(errorOf(outcomes[0])).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`has no 'appendToStreams'`) as unknown,
    });
  });
});

describe('a registry', () => {
  it('knows a decision by its name, which is that of no aggregate', () => {
    const named = (name: string) => defineDecision({ ...enrol, name });
    expect(() => new AggregateRegistry([named('Wallet'), Wallet])).toThrow(
      `An aggregate and a decision are both named 'Wallet'`,
    );
    expect(() => new AggregateRegistry([named('a'), named('a')])).toThrow(`Two decisions have the name 'a'`);
    expect(() => new AggregateRegistry([named('enrol-now')])).toThrow(`letters, digits and '_'`);
    expect(() => new AggregateRegistry([enrol, enrol, named('a')])).not.toThrow();
  });
});

function enrolled(student: string) {
  return { type: 'Enrolled', data: { student }, tags: ofCourse('a') } as const;
}

function fail(): never {
  return (undefined as unknown as { method(): never }).method();
}

import {
  defineReaction,
  DomainError,
  sendCommand,
  startWorkflow,
  type Consequences,
  type ReactionDefinition,
  type ReactionPort,
  type RecordedEvent,
} from 'temporal-event-store';
import { describe, expect, it } from 'vitest';
import { Wallet } from '../../support/wallet.js';

const event = { id: 'event-1', type: 'Paid', metadata: {} } as RecordedEvent;
const valid = { name: 'any', on: 'Paid', handle: () => undefined };

/** Does nothing but say what was to be done, and where it stands among the consequences. */
function listedPort(isRefused: (place: string) => boolean = () => false): {
  port: ReactionPort;
  done: string[];
} {
  const done: string[] = [];
  const port: ReactionPort = {
    startWorkflow: async ({ workflowType }, { place }) => void done.push(`${place} ${workflowType}`),
    sendCommand: async ({ name }, { place }) => {
      done.push(`${place} ${name}`);
      if (isRefused(place)) throw new DomainError('No', { reason: 'NO' });
    },
  };
  return { port, done };
}

const deposit = sendCommand(Wallet, '1', 'deposit', { amount: 5 });
const refund = startWorkflow('refund', { args: ['1'] });

describe('defineReaction', () => {
  it('makes a projection of the events of its types', () => {
    expect(defineReaction(valid)).toMatchObject({ name: 'any', filter: [{ types: ['Paid'] }], pageSize: 1 });
    const reaction = defineReaction({
      ...valid,
      on: ['Paid', 'Failed'],
      filter: { categories: ['Payment'] },
    });
    expect(reaction.filter).toEqual([{ types: ['Paid', 'Failed'], categories: ['Payment'] }]);
  });

  it.each<[string, Consequences, string[]]>([
    ['nothing', undefined, []],
    ['no consequences', [], []],
    ['a workflow', refund, ['0 refund']],
    ['a command', deposit, ['0 deposit']],
    ['several, in order', [deposit, refund, deposit], ['0 deposit', '1 refund', '2 deposit']],
  ])('carries out %s', async (_what, consequences, expected) => {
    const { port, done } = listedPort();
    await defineReaction({ ...valid, handle: async () => consequences }).handle([event], port);
    expect(done).toEqual(expected);
  });

  it('asks what follows from a refusal, at a place of its own, and goes on', async () => {
    const { port, done } = listedPort((place) => place === '1');
    const reaction = defineReaction({
      ...valid,
      handle: () => [refund, deposit, refund],
      onRejected: ({ command, error }, { id }) => {
        done.push(`${command.name} ${error.reason} ${id}`);
        return [refund, deposit];
      },
    });
    await reaction.handle([event], port);
    expect(done).toEqual([
      '0 refund',
      '1 deposit',
      'deposit NO event-1',
      '1/rejected/0 refund',
      '1/rejected/1 deposit',
      '2 refund',
    ]);
  });

  it.each([undefined, 'per-aggregate', 1, 16] as const)('sends a command by the lanes %j', async (lanes) => {
    const sent: unknown[] = [];
    const port = { ...listedPort().port, sendCommand: async (command: unknown) => void sent.push(command) };
    const options = { lanes, taskQueue: 'accounts', metadata: { actor: 'ann' } };
    const command = sendCommand(Wallet, '1', 'deposit', { amount: 5 }, options as { lanes: number });
    await defineReaction({ ...valid, handle: () => command }).handle([event], port);
    expect(sent).toEqual([
      { aggregate: Wallet, id: '1', name: 'deposit', payload: { amount: 5 }, ...options },
    ]);
  });

  it('fails as the port does, and takes no fault of it for a refusal', async () => {
    const asked: unknown[] = [];
    const away = new Error('away');
    const port = { ...listedPort().port, sendCommand: () => Promise.reject(away) };
    const reaction = defineReaction({
      ...valid,
      handle: () => deposit,
      onRejected: (why) => void asked.push(why),
    });
    await expect(reaction.handle([event], port)).rejects.toBe(away);
    expect(asked).toEqual([]);
  });

  it('fails when nobody says what follows from a refusal, or from that of a refusal', async () => {
    const { port, done } = listedPort(() => true);
    const refused = { ...valid, handle: () => [deposit, refund] };
    await expect(defineReaction(refused).handle([event], port)).rejects.toBeInstanceOf(DomainError);
    await expect(
      defineReaction({ ...refused, onRejected: () => deposit }).handle([event], port),
    ).rejects.toBeInstanceOf(DomainError);
    expect(done).toEqual(['0 deposit', '0 deposit', '0/rejected/0 deposit']);
  });

  /** An event that a command of a reaction has stored. */
  const caused = (reactionDepth: unknown, commitId = 'event-store/reaction/any/event-0/0') =>
    ({ ...event, commitId, metadata: { reactionDepth } }) as unknown as RecordedEvent;

  it.each([
    ['an event of somebody else', event, 1],
    ['an event that a reaction led to', caused(1), 2],
    ['one at the end of a long chain', caused(98), 99],
    ['one whose metadata somebody made up', caused(98, 'commit-1'), 1],
    ['one with something else in it', caused('98'), 1],
    ['one with less than nothing', caused(-98), 1],
  ])('counts the reactions that led to a command: %s', async (_what, from, expected) => {
    const depths: number[] = [];
    const port: ReactionPort = {
      ...listedPort().port,
      sendCommand: async (_command, { depth }) => void depths.push(depth),
    };
    await defineReaction({ ...valid, handle: () => deposit }).handle([from], port);
    expect(depths).toEqual([expected]);
  });

  it('stops where too many reactions led to a command, and only there', async () => {
    const { port, done } = listedPort();
    const deep = defineReaction({ ...valid, handle: () => [refund, deposit] });
    await deep.handle([caused(99)], port);
    await expect(deep.handle([caused(100)], port)).rejects.toThrow(/100 reactions .* Skip the event/);
    await defineReaction({ ...valid, handle: () => undefined }).handle([caused(100)], port);
    await defineReaction({ ...valid, maxDepth: 101, handle: () => deposit }).handle([caused(100)], port);
    expect(done).toEqual(['0 refund', '1 deposit', '0 refund', '0 deposit']);
  });

  const never = new Promise<never>(() => undefined);
  it.each([
    ['handle', { handle: () => never }, /'handle' of 'any' was not done after 20 ms/],
    [
      'onRejected',
      { handle: () => deposit, onRejected: () => never },
      /'onRejected' of 'any' was not done after 20 ms/,
    ],
  ])('gives up %s that never ends', async (_what, functions, message) => {
    const { port } = listedPort(() => true);
    const reaction = defineReaction({ ...valid, handlerTimeout: 20, ...functions });
    await expect(reaction.handle([event], port)).rejects.toThrow(message);
  });

  it.each([
    ['a command', deposit, /The command 'deposit' of 'any'/],
    ['a workflow', refund, /Starting a workflow of 'any'/],
  ])('gives up %s that never ends, each by itself', async (_what, consequence, message) => {
    const port = { startWorkflow: () => never, sendCommand: () => never };
    const reaction = defineReaction({ ...valid, handlerTimeout: 20, handle: () => consequence });
    await expect(reaction.handle([event], port)).rejects.toThrow(message);
    const slow = () => new Promise<void>((resolve) => setTimeout(resolve, 60));
    const several = defineReaction({
      ...valid,
      handlerTimeout: 100,
      handle: () => [consequence, consequence, consequence],
    });
    await several.handle([event], { startWorkflow: slow, sendCommand: slow });
  });

  it.each<[unknown, string]>([
    [undefined, 'name'],
    [{ ...valid, name: '' }, 'name'],
    [{ ...valid, on: undefined }, 'on'],
    [{ ...valid, on: [] }, 'at least one'],
    [{ ...valid, on: [7] }, 'types'],
    [{ ...valid, handle: undefined }, 'handle'],
    [{ ...valid, onRejected: 'ignore' }, 'onRejected'],
    [{ ...valid, filter: { types: ['Paid'] } }, `which 'on' says`],
    [{ ...valid, filter: { typo: ['Paid'] } }, 'typo'],
    [{ ...valid, maxAttempts: 0 }, 'maxAttempts'],
    [{ ...valid, maxDepth: 0 }, 'maxDepth'],
    [{ ...valid, handlerTimeout: 0 }, 'handlerTimeout'],
    [{ ...valid, onPoison: 'park' }, `no option 'onPoison'`],
  ])('refuses %j', (definition, says) => {
    expect(() => defineReaction(definition as ReactionDefinition)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(says) as string }),
    );
  });

  it.each<[unknown, string]>([
    ['refund', '{ startWorkflow } or { sendCommand }'],
    [null, 'null'],
    [{}, '{ startWorkflow } or { sendCommand }'],
    [[{ startWorkflow: { workflowType: 'a' }, sendCommand: {} }], 'with startWorkflow, sendCommand'],
    [{ startworkflow: {} }, 'with startworkflow'],
    [{ startWorkflow: {} }, 'workflowType'],
    [{ startWorkflow: { workflowType: 'a', args: 'b' } }, 'args'],
    [{ startWorkflow: { workflowType: 'a', retry: {} } }, `no option 'retry'`],
    [{ sendCommand: { id: '1', name: 'deposit' } }, 'aggregate'],
    [{ sendCommand: { aggregate: Wallet, name: 'deposit' } }, 'id'],
    [{ sendCommand: { aggregate: Wallet, id: '1', name: 'deposit', lanes: 0 } }, 'lanes'],
    [{ sendCommand: { aggregate: Wallet, id: '1', name: 'deposit', lanes: 'one' } }, 'lanes'],
    [{ sendCommand: { aggregate: {}, id: '1', name: 'deposit' } }, 'aggregate'],
    [[refund, { sendCommand: 7 }], 'sendCommand'],
  ])('does nothing at all when a handler returns %j', async (returned, says) => {
    const { port, done } = listedPort();
    const reaction = defineReaction({ ...valid, handle: () => returned as Consequences });
    await expect(reaction.handle([event], port)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(says) as string,
    });
    expect(done).toEqual([]);
  });
});

describe('startWorkflow', () => {
  it('takes the name of a workflow that is elsewhere', () => {
    expect(refund).toEqual({ startWorkflow: { workflowType: 'refund', args: ['1'] } });
  });

  it('takes the name of a function, which must have one', () => {
    async function sendReceipt(): Promise<void> {
      // Never called.
    }
    expect(startWorkflow(sendReceipt, {})).toEqual({ startWorkflow: { workflowType: 'sendReceipt' } });
    expect(() =>
      startWorkflow(
        (
          () => async () =>
            undefined
        )(),
        {},
      ),
    ).toThrow('workflowType');
  });
});

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
    [{ ...valid, onPoison: 'quarantine' }, `no option 'onPoison'`],
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

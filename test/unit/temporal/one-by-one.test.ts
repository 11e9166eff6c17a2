import { describe, expect, it } from 'vitest';
import { executeOneByOne } from '../../../src/temporal/activities/commands/one-by-one.js';
import type { CommandOutcome, LaneCommand } from '../../../src/temporal/shared/command-lane.js';

const error = { type: 'any', message: 'open', details: [] };
const open: CommandOutcome = { kind: 'open', reason: 'deciding', error };
const failed: CommandOutcome = { kind: 'failed', error };

function command(id: string, commandId: string): LaneCommand {
  return { id, commandId, name: 'any' };
}

describe('commands under suspicion', () => {
  it('are executed one after the other in the whole process, each named before it', async () => {
    const log: string[] = [];
    const begin = ({ commandId }: { readonly commandId: string }): Promise<void> => {
      log.push(`begin ${commandId}`);
      return Promise.resolve();
    };
    const execute = async ({ commandId }: LaneCommand): Promise<CommandOutcome> => {
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`end ${commandId}`);
      return failed;
    };
    const options = { timeLimit: 10_000, begin, execute, leaveOpen: () => open };
    await Promise.all([
      executeOneByOne({ ...options, commands: [command('1', 'a'), command('2', 'b')] }),
      executeOneByOne({ ...options, commands: [command('3', 'c')] }),
    ]);
    expect(log.filter((_line, index) => index % 2 === 0).map((line) => line.slice(6))).toEqual(
      log.filter((_line, index) => index % 2 === 1).map((line) => line.slice(4)),
    );
    expect(log).toHaveLength(6);
  });

  it('are left open behind one of their aggregate that is open, and when the time is over', async () => {
    const executed: string[] = [];
    const options = {
      begin: () => Promise.resolve(),
      execute: ({ commandId }: LaneCommand) => {
        executed.push(commandId);
        return Promise.resolve(commandId === 'a' ? open : failed);
      },
      leaveOpen: () => open,
    };
    const commands = [command('1', 'a'), command('1', 'b'), command('2', 'c')];
    expect(await executeOneByOne({ ...options, commands, timeLimit: 10_000 })).toEqual([open, open, failed]);
    expect(await executeOneByOne({ ...options, commands, timeLimit: 0 })).toEqual([open, open, open]);
    expect(executed).toEqual(['a', 'c']);
  });
});

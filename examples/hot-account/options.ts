import { parseArgs } from 'node:util';

export interface Options {
  readonly accounts: number;
  /** Each sends one command at a time. */
  readonly callers: number;
  readonly lanes: 'per-aggregate' | number;
  /** When the load ends. */
  readonly end: { readonly seconds: number } | { readonly commands: number };
  /** Whether the worker is killed in the middle. */
  readonly kill: boolean;
}

export const usage = `hot-account [option …]

  --accounts N    that get the commands in turn (1)
  --callers N     that send commands, one at a time each (64)
  --lanes N       so many lanes for all accounts, instead of one for each
  --seconds N     for so long (30)
  --commands N    so many commands, instead
  --no-kill       leave the worker alone, instead of killing it in the middle
  --help

The database is PostgreSQL at POSTGRES_URL. In the repository one is started for the run when that is not set.`;

/** Its message is for the person at the terminal. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
}

/** Returns undefined when help is asked for. @throws OptionError */
export function readOptions(args: readonly string[]): Options | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const { accounts, callers, lanes, seconds, commands } = values;
  if (seconds !== undefined && commands !== undefined) {
    throw new OptionError('--seconds and --commands are two ways to say when it ends; give one of them.');
  }
  return {
    accounts: toCount('accounts', accounts),
    callers: toCount('callers', callers),
    lanes: lanes === undefined ? 'per-aggregate' : toCount('lanes', lanes),
    end:
      commands === undefined
        ? { seconds: toCount('seconds', seconds ?? '30') }
        : { commands: toCount('commands', commands) },
    kill: !values['no-kill'],
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        accounts: { type: 'string', default: '1' },
        callers: { type: 'string', default: '64' },
        lanes: { type: 'string' },
        seconds: { type: 'string' },
        commands: { type: 'string' },
        // Not by `allowNegative`, which Node 20.3 doesn't have.
        'no-kill': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new OptionError((error as Error).message, { cause: error });
  }
}

function toCount(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new OptionError(`--${name} ${text} is not a positive whole number.`);
  }
  return value;
}

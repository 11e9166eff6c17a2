import { parseArgs } from 'node:util';
import type { Contender } from './contenders/contender.js';
import { contenders } from './contenders/index.js';
import { suites } from './suites/index.js';
import type { Settings, Suite } from './suites/suite.js';

export interface Options {
  readonly suites: readonly Suite[];
  readonly contenders: readonly Contender[];
  readonly settings: Settings;
  /** Name of the files that the results are kept in. */
  readonly saveAs?: string;
}

const full: Settings = {
  rounds: 7,
  seconds: 1.5,
  window: 20,
  events: 200_000,
  size: 1_000_000,
  isQuick: false,
};
const quick: Settings = { rounds: 2, seconds: 0.2, window: 2, events: 20_000, size: 20_000, isQuick: true };

export const usage = `npm run bench -- [suite …] [option …]

Suites: ${namesOf(suites)}; when none is named, all but ${namesOf(suites.filter(({ isApart }) => isApart))}.

  --rounds N       paired rounds (${full.rounds})
  --seconds S      of one measurement (${full.seconds}; of commands and live writes ${full.window})
  --events N       of the store that is read from start to end (${full.events})
  --size N         of a large store (${full.size})
  --only A,B       these contenders: ${namesOf(contenders)} (not of conditions, commands and projections)
  --quick          a short run to see that it works; its numbers mean little
  --save           keep the results in bench/results/ and the figures: in latest.{json,md}, or in files named as the suites
  --help

The server is PostgreSQL at POSTGRES_URL, else one of npm's. EVENT_LOG_DIR names the folder of real logs.`;

/** Returns undefined when help is asked for. @throws Error with a line for a person */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      events: { type: 'string' },
      size: { type: 'string' },
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;

  const defaults = values.quick ? quick : full;
  const number = (name: 'rounds' | 'seconds' | 'events' | 'size', byDefault = defaults[name]) => {
    const text = values[name];
    const value = text === undefined ? byDefault : Number(text);
    if (!(value > 0) || (name !== 'seconds' && !Number.isInteger(value))) {
      throw new Error(`--${name} ${text} is not a positive number.`);
    }
    return value;
  };
  return {
    suites: pick('suite', suites, positionals).filter(({ isApart }) => !isApart || positionals.length > 0),
    contenders: pick('contender', contenders, values.only?.split(',') ?? []),
    settings: {
      rounds: number('rounds'),
      seconds: number('seconds'),
      window: number('seconds', defaults.window),
      events: number('events'),
      size: number('size'),
      isQuick: values.quick,
    },
    ...(values.save && { saveAs: positionals.length === 0 ? 'latest' : positionals.join('-') }),
  };
}

/** Those that are named, in their own order; all when none is. */
function pick<T extends { readonly name: string }>(
  what: string,
  all: readonly T[],
  names: readonly string[],
) {
  const unknown = names.find((name) => !all.some((it) => it.name === name));
  if (unknown !== undefined) {
    throw new Error(`There is no ${what} ${unknown}, only ${namesOf(all)}.`);
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

function namesOf(all: readonly { readonly name: string }[]): string {
  return all.map(({ name }) => name).join(', ');
}

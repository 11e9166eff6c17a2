import { parseArgs } from 'node:util';

export interface Options {
  /** As it was given. */
  readonly file: string | undefined;
  /** Of lines. */
  readonly limit: number | undefined;
}

const usage = 'fines [FILE] [--limit LINES]';

/** Its message is for the person at the terminal. */
export class OptionError extends Error {
  override readonly name = 'OptionError';

  constructor(problem: string, options?: ErrorOptions) {
    super(`${problem}\n${usage}`, options);
  }
}

/** @throws OptionError */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const [file, ...more] = positionals;
  if (more.length > 0) throw new OptionError('One log at a time.');
  const { limit } = values;
  if (limit !== undefined && !/^[1-9]\d{0,14}$/.test(limit)) {
    throw new OptionError(`--limit ${limit} is not a positive whole number.`);
  }
  return { file, limit: limit === undefined ? undefined : Number(limit) };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: { limit: { type: 'string' } }, allowPositionals: true });
  } catch (error) {
    throw new OptionError((error as Error).message, { cause: error });
  }
}

import { mkdir, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface Options {
  /** Path of the log; absent for the one that comes with the example. */
  readonly log: string | undefined;
  /** Path of the figure; absent for a place of its own. */
  readonly out: string | undefined;
}

/** Its message is for the person at the terminal. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
}

/** @throws OptionError */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const [log, second] = positionals;
  if (second !== undefined) throw new OptionError(`One log at a time: ${second} is a second one.`);
  return { log: log && locate(log), out: values.out && locate(values.out) };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: { out: { type: 'string' } }, allowPositionals: true });
  } catch (error) {
    throw new OptionError((error as Error).message, { cause: error });
  }
}

/** From where npm was called; it runs scripts in the folder of the package. */
function locate(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? '.', path);
}

/**
 * Where the figure goes: `--out`, else the folder for temporary files. Looks before anything is imported.
 *
 * @throws OptionError when nothing can be written there
 */
export async function figureFile({ out }: Options, fingerprint: string): Promise<string> {
  const file = out ?? join(tmpdir(), `event-log-${fingerprint.slice(0, 16)}.svg`);
  try {
    await mkdir(dirname(file), { recursive: true });
    await (await open(file, 'a')).close();
  } catch (error) {
    throw new OptionError(
      `The figure can't be written: ${(error as Error).message}. Name a file with --out.`,
      {
        cause: error,
      },
    );
  }
  return file;
}

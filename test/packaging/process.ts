import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface ProcessOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command to its end. Rejects with all that it wrote when it fails or takes more than three minutes. */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env }: ProcessOptions,
): Promise<{ stdout: string; stderr: string }> {
  const options = { cwd, env: { ...process.env, ...env }, timeout: 180_000, maxBuffer: 64 * 2 ** 20 };
  try {
    return await promisify(execFile)(command, args, options);
  } catch (error) {
    const { message, stdout = '' } = error as Error & { stdout?: string };
    // The message has the standard error in it.
    throw new Error(`In ${cwd}: ${message}\n${stdout}`, { cause: error });
  }
}

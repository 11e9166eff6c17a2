import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';

/**
 * The file of the ready-made workflows: beside this one in the package; or, if a bundler has moved this one, in the
 * installed package, as resolved from the program or its working directory.
 *
 * @throws InvalidArgumentError when the file isn't found
 */
export function readyMadeWorkflowsPath(): string {
  // Undefined in a CommonJS bundle.
  const here = import.meta.url as string | undefined;
  if (here?.startsWith('file:') === true) {
    const beside = fileURLToPath(new URL('./workflows.cjs', here));
    if (existsSync(beside)) return beside;
  }
  for (const from of [here, process.argv[1], join(process.cwd(), 'program.js')]) {
    try {
      if (from !== undefined) return createRequire(from).resolve('temporal-event-store/workflows');
    } catch {
      // Not found from here; the next place may do.
    }
  }
  throw new InvalidArgumentError(
    `The ready-made workflows are not beside this bundle, and the package temporal-event-store is not installed where it runs. Give the ` +
      `worker a 'workflowBundle' that was made beforehand, or a 'workflowsPath'; or leave the package out of the bundle.`,
  );
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const dist = (file: string) => fileURLToPath(new URL(`../../dist/${file}`, import.meta.url));

/** Only within the library's own package does its name stand for it. */
const alias = {
  'temporal-event-store$': dist('index.cjs'),
  'temporal-event-store/workflow$': dist('workflow.cjs'),
  'temporal-event-store/workflows$': dist('workflows.cjs'),
};

/** Bundles the workflows of all contenders once, for the workers of all measurements. */
export async function withWorkflowBundle<T>(run: (codePath: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-workflows-'));
  try {
    const { code } = await bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
      logger: new DefaultLogger('ERROR'),
      webpackConfigHook: (config) => ({
        ...config,
        resolve: { ...config.resolve, alias: Object.assign({}, config.resolve?.alias, alias) },
      }),
    });
    const codePath = join(folder, 'workflows.js');
    await writeFile(codePath, code);
    return await run(codePath);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

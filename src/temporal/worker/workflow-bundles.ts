import { readFile } from 'node:fs/promises';
import type { BundleOptions, Worker } from '@temporalio/worker';

/** Text that only the module of the ready-made workflows contains; see src/temporal/workflows/index.ts. */
const mark = 'temporal-event-store/ready-made-workflows';

/** Finds out whether the bundles that workers run contain the ready-made workflows. */
export class WorkflowBundles {
  /** Whether a bundle contains them, by the path of its workflows. */
  readonly #made = new Map<string, boolean>();

  /** Adds a look at the result to a bundler's options. The bundle stays the same. */
  watch(options: BundleOptions): BundleOptions {
    const { workflowsPath, webpackConfigHook } = options;
    return {
      ...options,
      webpackConfigHook: (given) => {
        const config = webpackConfigHook?.(given) ?? given;
        const watcher: NonNullable<typeof config.plugins>[number] = {
          apply: (compiler) => {
            compiler.hooks.emit.tap('temporal-event-store', ({ assets }) => {
              const isMarked = Object.values(assets).some((asset) => asset.source().includes(mark));
              this.#made.set(workflowsPath, isMarked);
            });
          },
        };
        return { ...config, plugins: [...(config.plugins ?? []), watcher] };
      },
    };
  }

  /** Whether a worker certainly runs workflows, but not ours. False for a worker without workflows. */
  async lackOurs({ options }: Worker): Promise<boolean> {
    const { workflowBundle: bundle, workflowsPath } = options;
    if (bundle === undefined) return workflowsPath !== undefined && this.#made.get(workflowsPath) === false;
    const code = 'code' in bundle ? bundle.code : await readFile(bundle.codePath, 'utf8');
    return !code.includes(mark);
  }
}

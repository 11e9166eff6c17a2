import { readFile } from 'node:fs/promises';
import type { BundleOptions, Worker } from '@temporalio/worker';

/** Text of the module of the ready-made workflows, and of no other; see src/temporal/workflows/index.ts. */
const mark = 'temporal-event-store/ready-made-workflows';

/** Knows of the bundles that workers run whether the ready-made workflows are in them. */
export class WorkflowBundles {
  /** By the path of the workflows that were bundled. */
  readonly #made = new Map<string, boolean>();

  /** The options of a bundler that tells what it has made. Nothing of the bundle changes. */
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

  /** Whether a worker surely runs workflows without ours. One without any is none of that kind. */
  async lackOurs({ options }: Worker): Promise<boolean> {
    const { workflowBundle: bundle, workflowsPath } = options;
    if (bundle === undefined) return workflowsPath !== undefined && this.#made.get(workflowsPath) === false;
    const code = 'code' in bundle ? bundle.code : await readFile(bundle.codePath, 'utf8');
    return !code.includes(mark);
  }
}

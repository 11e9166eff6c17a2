import type { WorkerPlugin } from '@temporalio/worker';

/**
 * For the connection of a worker whose workflows are bundled already. A worker's plugins come before those of its
 * connection, so this one sees what they have decided.
 */
export function bundled(workflowsPath: string, codePath: string): WorkerPlugin {
  return {
    name: 'bundled',
    configureWorker(worker) {
      const { workflowsPath: path, ...options } = worker;
      // A bundle holds its data converter, so only those with the default one can share it.
      if (path === undefined || options.dataConverter !== undefined) return worker;
      // The worker of an example names what its source is compiled to.
      const source = path.replace(/\.js$/, '.ts');
      if (source !== workflowsPath) throw new Error(`A bundle of ${workflowsPath} can't serve for ${path}.`);
      return { ...options, workflowBundle: { codePath } };
    },
  };
}

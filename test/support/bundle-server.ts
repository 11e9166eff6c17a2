import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

/**
 * Bundles workflows for all test files of a run, each module once: `GET /?<path of the module>` answers with the path of
 * its bundle. A bundle takes the processor for a second, and there are more workers in the tests than seconds to spare.
 */
export async function startBundleServer(): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'workflow-bundles-'));
  const bundles = new Map<string, Promise<string>>();

  async function bundle(workflowsPath: string): Promise<string> {
    const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
    const codePath = join(folder, `${createHash('sha1').update(workflowsPath).digest('hex')}.js`);
    await writeFile(codePath, code);
    return codePath;
  }

  const server = createServer((request, response) => {
    // A test that keeps its process busy for seconds would send its next request into a connection that was closed meanwhile.
    response.setHeader('connection', 'close');
    const workflowsPath = decodeURIComponent((request.url ?? '').slice('/?'.length));
    const made = bundles.get(workflowsPath) ?? bundle(workflowsPath);
    bundles.set(workflowsPath, made);
    made.then(
      (codePath) => response.end(codePath),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await Promise.all([once(server.close(), 'close'), rm(folder, { recursive: true })]);
    },
  };
}

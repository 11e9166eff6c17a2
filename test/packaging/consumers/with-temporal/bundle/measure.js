import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { transform } from 'esbuild';

// With decisions, appends to several streams and under conditions, and the checks of their filters.
const maxGrowth = 82_000;
const logger = new DefaultLogger('WARN');
const fileOf = (name) => fileURLToPath(new URL(name, import.meta.url));

async function bundle(workflows, options) {
  const { code } = await bundleWorkflowCode({ workflowsPath: fileOf(workflows), logger, ...options });
  return code.replace(/\/\/# sourceMappingURL=.*/, '');
}

async function minifiedSize(code) {
  const { code: minified } = await transform(code, { minify: true, legalComments: 'none' });
  return Buffer.byteLength(minified);
}

const both = await bundle('everything.js', { workflowInterceptorModules: [fileOf('interceptor.cjs')] });
// Each stands once in the sources: in the errors, the aggregates, the calls of a store, the ready-made workflows.
const onceInTheSources = [
  'Symbol.for("temporal-event-store/error")',
  'Symbol.for("temporal-event-store/replay")',
  'RemoteEventStore = class',
  'function eventStoreAppend(',
];
for (const text of onceInTheSources)
  assert.equal(both.split(text).length - 1, 1, `copies in the bundle of what has ${text}`);
console.log('one copy of the sandbox code, imported by workflows and required by an interceptor');

const empty = await minifiedSize(await bundle('empty.js'));
const withWorkflow = await minifiedSize(await bundle('with-workflow.js'));
const growth = withWorkflow - empty;
const inKB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
const sizes = `${inKB(growth)} minified, from ${inKB(empty)} to ${inKB(withWorkflow)} (all that fits in a sandbox: ${inKB(await minifiedSize(both))})`;
assert.ok(growth < maxGrowth, `./workflow adds ${sizes}; the limit is ${inKB(maxGrowth)}`);
console.log(`./workflow adds ${sizes}`);

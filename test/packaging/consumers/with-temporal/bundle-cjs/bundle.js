// What a service does that is shipped as one file: the package is in the bundle, and Temporal's own packages are not.
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { build } = require('esbuild');

async function main() {
  for (const format of ['cjs', 'esm']) {
    const outfile = `${__dirname}/out/service.${format === 'cjs' ? 'cjs' : 'mjs'}`;
    await build({
      entryPoints: [`${__dirname}/service.js`],
      outfile,
      bundle: true,
      platform: 'node',
      format,
      logLevel: 'error',
      external: ['@temporalio/*'],
    });
    assert.equal(execFileSync(process.execPath, [outfile], { encoding: 'utf8' }), 'served\n');
    console.log(
      `a service that esbuild bundles as ${format} starts, and its worker finds the ready-made workflows`,
    );
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

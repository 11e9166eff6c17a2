import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import webpack from 'webpack';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Without the line of minified code that Node shows for an uncaught error. */
async function runBundle(file) {
  try {
    await import(pathToFileURL(file).href);
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}

const byEsbuild = `${here}out/by-esbuild.mjs`;
await build({
  entryPoints: [`${here}src/main.ts`],
  outfile: byEsbuild,
  bundle: true,
  platform: 'node',
  format: 'esm',
  minify: true,
});
await runBundle(byEsbuild);
console.log('a script that esbuild bundles and minifies runs');

const stats = await new Promise((resolve, reject) => {
  const config = {
    mode: 'production',
    target: 'node20',
    entry: `${here}out/main.js`,
    experiments: { outputModule: true },
    output: { path: `${here}out`, filename: 'by-webpack.mjs', library: { type: 'module' } },
  };
  webpack(config, (error, result) => (error ? reject(error) : resolve(result)));
});
if (stats.hasErrors()) throw new Error(stats.toString('errors-only'));
await runBundle(`${here}out/by-webpack.mjs`);
console.log('a script that webpack bundles and minifies runs');

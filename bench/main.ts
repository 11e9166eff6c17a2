import { startPostgresServer } from '../dev/postgres-server.js';
import { readOptions, usage, type Options } from './options.js';
import { writeFigure } from './report/figure.js';
import { toGates } from './report/gates.js';
import { describeMachine, toLine } from './report/machine.js';
import { toMarkdown } from './report/markdown.js';
import { saveResults, writeReport, type SavedReport } from './report/results.js';

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options === undefined) {
    console.log(usage);
    return;
  }
  const command = ['npm run bench', ...(args.length > 0 ? ['--'] : []), ...args].join(' ');
  const server = await startPostgresServer();
  try {
    await run(options, server.url, command);
  } finally {
    await server.stop();
  }
}

async function run(options: Options, serverUrl: string, command: string): Promise<void> {
  const { suites, contenders, settings, save } = options;
  const machine = await describeMachine(serverUrl);
  console.log(`${command} · ${toLine(machine)} · ${settings.rounds} rounds\n`);

  const results: Record<string, SavedReport> = {};
  for (const suite of suites) {
    const report = await suite.run({ serverUrl, settings, contenders, progress });
    console.log(`${toMarkdown(report)}\n`);
    const saved = { date: new Date().toISOString(), command, machine, settings, ...report };
    results[suite.name] = saved;
    await writeReport(suite.name, saved);
  }
  console.log(toGates(results));
  if (save) await writeFigure(await saveResults(results));
}

function progress(line: string): void {
  process.stderr.write(`  ${line}\n`);
}

await main(process.argv.slice(2));

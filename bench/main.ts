import { startPostgresServer } from '../dev/postgres-server.js';
import { assertAuditFindsFaults } from './audit-control.js';
import { readOptions, usage, type Options } from './options.js';
import { writeFigures } from './report/figures.js';
import { countFaults, toGates } from './report/gates.js';
import { describeMachine, toLine } from './report/machine.js';
import { toMarkdown } from './report/markdown.js';
import { writeReport, type RunReport } from './report/results.js';

/** A server as PostgreSQL comes, without what the tests of the library need. */
const serverSettings = { wal_level: 'replica', max_prepared_transactions: '0' };

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options === undefined) {
    console.log(usage);
    return;
  }
  const command = ['npm run bench', ...(args.length > 0 ? ['--'] : []), ...args].join(' ');
  const server = await startPostgresServer({ settings: serverSettings });
  try {
    await assertAuditFindsFaults(server.url);
    const faults = await run(options, server.url, command);
    if (faults > 0) throw new Error(`${faults} faults: events lost, duplicated, accepted wrongly …`);
  } finally {
    await server.stop();
  }
}

/** Returns how many faults our store has. Writes after each suite, so that the results of a long run aren't lost. */
async function run(options: Options, serverUrl: string, command: string): Promise<number> {
  const { suites, contenders, settings, saveAs } = options;
  const machine = await describeMachine(serverUrl);
  const report: RunReport = { date: new Date().toISOString(), command, machine, settings, suites: {} };
  const parts = [
    '# Benchmark',
    `\`${command}\` · ${report.date.slice(0, 10)} · ${toLine(machine)} · ${settings.rounds} rounds`,
  ];
  console.log(parts.join('\n\n'));
  for (const suite of suites) {
    const result = await suite.run({ serverUrl, settings, contenders, progress });
    report.suites[suite.name] = result;
    const part = toMarkdown(result);
    parts.push(part);
    console.log(`\n${part}`);
    await writeReport('last-run', report, parts.join('\n\n'));
  }
  const gates = toGates(report.suites);
  console.log(`\n${gates}`);
  if (saveAs !== undefined) {
    await writeReport(saveAs, report, [...parts, gates].join('\n\n'));
    await writeFigures(report);
  }
  return countFaults(report.suites);
}

function progress(line: string): void {
  process.stderr.write(`${String(Math.round(process.uptime())).padStart(5)} s  ${line}\n`);
}

await main(process.argv.slice(2));

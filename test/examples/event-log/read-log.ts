import { openEventLog } from '../../../examples/event-log/log-reader.js';
import { toCommits, toWindows } from '../../../examples/event-log/log-window.js';

// Reads a log as the import does, without storing it, and says how many events it saw. With KEEP=yes it keeps them, as
// a reader must not.
const [file = ''] = process.argv.slice(2);
const kept: unknown[] = [];
const knownCases = new Set<string>();
let events = 0;
for await (const window of toWindows(openEventLog(file).entries)) {
  const commits = toCommits(window, 'a fingerprint', knownCases);
  for (const commit of commits) events += commit.events.length;
  if (process.env['KEEP'] === 'yes') kept.push(commits);
}
console.log(events);

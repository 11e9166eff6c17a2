import { PGliteEventStore } from 'temporal-event-store/pglite';

// A process of its own that opens the embedded store in FOLDER and appends to it for ever, one line for each append that
// was acknowledged.
const { FOLDER = '' } = process.env;
const store = await PGliteEventStore.open({ dataDir: FOLDER });
for (let count = 1; ; count++) {
  const { version } = await store.appendToStream('Account-1', [{ type: 'Happened', data: { count } }]);
  process.stdout.write(`${version}\n`);
}

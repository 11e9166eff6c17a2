import { PGliteEventStore } from 'temporal-event-store/pglite';

// A process of its own, whose files can't grow: it fills the embedded store in FOLDER, and says what each call does from then on.
const { FOLDER = '' } = process.env;
const store = await PGliteEventStore.open({ dataDir: FOLDER });
const append = () =>
  store.appendToStream('Account-1', [
    { type: 'Happened', data: { text: Array.from({ length: 40_000 }, () => crypto.randomUUID()).join() } },
  ]);
const say = async (what: string, call: () => Promise<unknown>): Promise<boolean> => {
  try {
    await call();
    return true;
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    process.stdout.write(`${what}: ${code}: ${message}\n`);
    return false;
  }
};
while (await say('append', append));
await say('next', append);
await say('read', () => store.readStream('Account-1'));
await say('transaction', () => store.transaction((transaction) => transaction.query('select 1')));
await store.close();
process.stdout.write('closed\n');

import { PGliteEventStore } from 'temporal-event-store/pglite';

// Loaded before an example, it kills the process right after the append with the number LAST_APPEND is stored.
const { LAST_APPEND } = process.env;

const { appendToStream } = PGliteEventStore.prototype;
let appends = 0;
PGliteEventStore.prototype.appendToStream = async function (...args) {
  const result = await appendToStream.apply(this, args);
  if (++appends === Number(LAST_APPEND)) process.kill(process.pid, 'SIGKILL');
  return result;
};

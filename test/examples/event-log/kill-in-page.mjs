import { PGliteProjectionSink } from 'temporal-event-store/pglite';

// Loaded before an example, it kills the process in the transaction of the page with the number LAST_PAGE, when all of it
// is written and nothing committed.
const { LAST_PAGE } = process.env;

const { commit } = PGliteProjectionSink.prototype;
let pages = 0;
PGliteProjectionSink.prototype.commit = function (shard, token, progress, write) {
  return commit.call(this, shard, token, progress, async (transaction) => {
    await write(transaction);
    if (++pages === Number(LAST_PAGE)) process.kill(process.pid, 'SIGKILL');
  });
};

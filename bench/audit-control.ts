import { deepStrictEqual } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { audit } from './audit.js';
import { open, type Append } from './contenders/contender.js';
import { runSql } from './contenders/pg-pool.js';
import { raw } from './contenders/raw.js';
import { withDatabases } from './databases.js';
import { createEventSource } from './workload/events.js';
import { Ledger } from './workload/ledger.js';

/** An audit that finds nothing is worth something only if it finds what is put in on purpose. */
export async function assertAuditFindsFaults(serverUrl: string): Promise<void> {
  await withDatabases(serverUrl, [raw], async ({ urlOf }) => {
    const nextEvent = createEventSource();
    const newAppend = (): Append => ({
      streamId: `account-${randomUUID()}`,
      expectedVersion: 0,
      commitId: randomUUID(),
      events: [nextEvent()],
    });
    const stored = newAppend();
    const session = await open(raw, urlOf(raw), 'append');
    await session.append(stored);
    await session.close();

    const ledger = new Ledger();
    ledger.acknowledge(stored);
    ledger.acknowledge(stored);
    ledger.repeated(stored);
    ledger.acknowledge(newAppend());
    // The event again, in a stream that starts at version 2.
    await runSql(urlOf(raw), [
      `create temp table copied as select * from ${raw.table}`,
      `update copied set position = position + 1, id = gen_random_uuid(), stream_id = stream_id || '-', version = 2`,
      `insert into ${raw.table} select * from copied`,
    ]);
    const faults = await audit(raw, urlOf(raw), ledger);
    deepStrictEqual(faults, { lost: 1, duplicated: 1, acceptedWrongly: 3, deadlocks: 0 });
  });
}

import { Client, Connection } from '@temporalio/client';
import { startTemporalServer } from '../../dev/temporal-server.js';
import { withWorkflowBundle } from '../commands/bundle.js';
import { fill, withDatabases } from '../databases.js';
import { byHand, byHandOfThreeColumns } from '../projections/by-hand.js';
import type { ProjectionContender, ProjectionPlace } from '../projections/contender.js';
import { assertAuditFindsFaults } from '../projections/control.js';
import { emmett, emmettWithoutPause } from '../projections/emmett.js';
import { measureLag } from '../projections/lag.js';
import { ours } from '../projections/ours.js';
import { auditBalance, type StatementPer } from '../projections/read-model.js';
import { alternate } from '../rounds.js';
import { rowsSql } from '../workload/rows.js';
import {
  addCounts,
  compare,
  toRows,
  type Bench,
  type Counts,
  type Row,
  type Suite,
  type SuiteReport,
} from './suite.js';

/** Read models in PostgreSQL: a stored log, from its first event on, and events as they are written. */
export const projections: Suite = { name: 'projections', run };

const contenders = [byHand, byHandOfThreeColumns, ours, emmett, emmettWithoutPause];
const pageSizes = [100, 1_000];

export function projectionWorkload(statementPer: StatementPer, pageSize: number): string {
  return `a statement ${statementPer === 'event' ? 'an event' : 'a page'}, pages of ${pageSize.toLocaleString('en')}`;
}

/** Place of a contender, but for its database. */
type Servers = Omit<ProjectionPlace, 'url'>;

async function run(bench: Bench): Promise<SuiteReport> {
  const { settings, serverUrl, progress } = bench;
  const temporal = await startTemporalServer();
  try {
    const connection = await Connection.connect({ address: temporal.address });
    const client = new Client({ connection, namespace: temporal.namespace });
    const rows = await withWorkflowBundle(async (codePath) => {
      const servers: Servers = { temporal, client, codePath };
      const measured: Row[] = [];
      // A statement an event takes longer, so there are fewer events.
      measured.push(...(await measureCatchUps(bench, servers, 'event', settings.events / 5)));
      measured.push(...(await measureCatchUps(bench, servers, 'page', settings.size)));
      for (const contender of contenders) {
        if (contender.follow === undefined) continue;
        progress(`projections: lag of ${contender.name}`);
        measured.push(await measureLag(serverUrl, servers, contender, contender.follow, settings.window));
      }
      return measured;
    });
    await connection.close();
    return {
      title: 'Projections into a table of balances',
      rows,
      notes: [
        `${(settings.events / 5).toLocaleString('en')} events with a statement for each, ${settings.size.toLocaleString('en')} with one for a page. Emmett’s projector has no statement a page, and is stopped after ${maxSeconds(bench)} s.`,
        'Live writes: p50 and p99 in ms from the answer to an append until the read model shows its event.',
      ],
    };
  } finally {
    await temporal.stop();
  }
}

async function measureCatchUps(
  bench: Bench,
  servers: Servers,
  statementPer: StatementPer,
  events: number,
): Promise<Row[]> {
  const { serverUrl, settings, progress } = bench;
  const subjects = contenders.filter((contender) => contender.statementPer.includes(statementPer));
  const sources = [...new Set(subjects.map(({ source }) => source))];
  return withDatabases(serverUrl, sources, async ({ urlOf }) => {
    progress(`projections: fill with ${events.toLocaleString('en')} events`);
    const rows = rowsSql({ count: events, perStream: 20 });
    for (const source of sources) await fill(source, urlOf(source), rows);
    const placeOf = ({ source }: ProjectionContender) => ({ ...servers, url: urlOf(source) });
    await assertAuditFindsFaults(placeOf(byHand), events);

    const measured: Row[] = [];
    for (const pageSize of pageSizes) {
      const workload = projectionWorkload(statementPer, pageSize);
      progress(`projections: ${workload}`);
      const load = { pageSize, statementPer, lastRef: events, maxSeconds: maxSeconds(bench) };
      const faults = new Map<ProjectionContender, Counts>();
      const values = await alternate(
        subjects,
        settings.rounds,
        async (contender) => {
          const place = placeOf(contender);
          const { lastRef, seconds } = await contender.catchUp(place, load);
          const { source, schema } = contender;
          addCounts(faults, contender, await auditBalance(source, place.url, schema, lastRef));
          return lastRef / seconds;
        },
        // Each read model starts empty, so that there is nothing to warm up but the code.
        () => Promise.resolve(),
      );
      measured.push(...toRows(workload, 'events/s', values, faults));
    }
    return compare(measured, [byHand.name, emmett.name]);
  });
}

function maxSeconds({ settings }: Bench): number {
  return settings.seconds * 4;
}

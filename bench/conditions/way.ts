import { audit } from '../audit.js';
import { open, type Ability, type Able, type Contender } from '../contenders/contender.js';
import { withClient, withDatabases } from '../databases.js';
import { alternate, ratioOf } from '../rounds.js';
import type { Bench, Counts, Row, Settings, Unit } from '../suites/suite.js';
import { Ledger } from '../workload/ledger.js';

/** What is compared with others: a store with a database of its own, and what callers do to it. */
export interface Way {
  readonly contender: Contender;
  open(url: string, ledger: Ledger): Promise<OpenWay>;
  /** Counts what must not be in its database. */
  readonly wrongSql?: string;
}

export interface OpenWay {
  /** What a caller does over and over; returns how many that count were stored. */
  readonly step: (caller: number) => Promise<number>;
  readonly close: () => Promise<void>;
}

/** @param start how a session is used */
export function wayOf<A extends Ability>(
  contender: Contender,
  abilities: readonly A[],
  start: (session: Able<A>, ledger: Ledger) => OpenWay['step'],
  wrongSql?: string,
): Way {
  return {
    contender,
    ...(wrongSql !== undefined && { wrongSql }),
    async open(url, ledger) {
      const session = await open(contender, url, ...abilities);
      return { step: start(session, ledger), close: () => session.close() };
    },
  };
}

/** Ratios of one per cent need more turns than the rounds of other suites, and shorter ones. */
export function turnsOf({ rounds, seconds }: Settings) {
  return { count: rounds * 3, seconds: seconds / 5 };
}

/** The rate of each way, and its ratio to the first one. */
export async function measureWays(
  { serverUrl, settings, progress }: Bench,
  { workload, callers, unit = 'appends/s' }: { workload: string; callers: number; unit?: Unit },
  ways: readonly Way[],
): Promise<Row[]> {
  progress(workload);
  const contenders = ways.map(({ contender }) => contender);
  return withDatabases(serverUrl, contenders, async ({ urlOf }) => {
    const runs = new Map<Way, OpenWay & { readonly ledger: Ledger }>();
    for (const way of ways) {
      const ledger = new Ledger();
      runs.set(way, { ...(await way.open(urlOf(way.contender), ledger)), ledger });
    }
    const turns = turnsOf(settings);
    const values = await alternate(
      ways,
      turns.count,
      (way) => rateOf(runs.get(way)!, callers, turns.seconds),
      (way) => rateOf(runs.get(way)!, callers, settings.seconds / 2),
    );
    const rows: Row[] = [];
    for (const [way, { close, ledger }] of runs) {
      await close();
      const { contender } = way;
      const counts = await auditWay(way, urlOf(contender), ledger);
      rows.push({ workload, contender: contender.name, unit, values: values.get(way)!, counts });
    }
    return compareToFirst(rows);
  });
}

async function rateOf({ step }: OpenWay, callers: number, seconds: number): Promise<number> {
  const start = performance.now();
  const end = start + seconds * 1000;
  let count = 0;
  const call = async (caller: number) => {
    while (performance.now() < end) {
      // Not count += await: it would forget what other callers add meanwhile.
      const stored = await step(caller);
      count += stored;
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
  return count / ((performance.now() - start) / 1000);
}

async function auditWay({ contender, wrongSql }: Way, url: string, ledger: Ledger): Promise<Counts> {
  const faults = await audit(contender, url, ledger);
  if (wrongSql === undefined) return faults;
  const wrong = await withClient(url, async (client) => {
    const { rows } = await client.query<{ count: string }>(wrongSql);
    return Number(rows[0]!.count);
  });
  return { ...faults, acceptedWrongly: faults.acceptedWrongly + wrong };
}

export function compareToFirst(rows: readonly Row[]): Row[] {
  return rows.map((row) => ({ ...row, ratios: { '× the first': ratioOf(row.values, rows[0]!.values) } }));
}

import type { Client } from 'pg';

/** What an invariant found. */
export interface Finding {
  readonly invariant: string;
  /** How many break it; none is what is wanted. */
  readonly offenders: number;
  /** Some of them. */
  readonly sample: string;
}

/** Asks for the offenders of each invariant, which is a query for them. */
export async function findOffenders(
  client: Client,
  invariants: Readonly<Record<string, string>>,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [invariant, query] of Object.entries(invariants)) {
    const { rows } = await client.query<{ offenders: number; sample: string | null }>(
      `select count(*)::integer as offenders, (array_agg(o::text))[1:3]::text as sample from (${query}) o`,
    );
    findings.push({ invariant, offenders: rows[0]?.offenders ?? 0, sample: rows[0]?.sample ?? '' });
  }
  return findings;
}

/** One line. */
export function describeFinding({ invariant, offenders, sample }: Finding): string {
  const count = offenders === 0 ? 'ok' : String(offenders);
  return `${count.padStart(9)}  ${invariant}${sample === '' ? '' : `: ${sample}`}`;
}

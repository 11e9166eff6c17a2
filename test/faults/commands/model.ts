import type { Client } from 'pg';
import type { Finding } from '../findings.js';

/** A call that was answered with a rejection, and what is known of the wallet at that time. */
interface Rejection {
  readonly call: string;
  readonly stream: string;
  readonly amount: number;
  /** The highest version that somebody had been told before the command was sent. */
  readonly from: number;
  /** The version before the first that was sent after the answer, or the last. */
  readonly to: number;
  /** Where the command itself is stored, if it is. */
  readonly own: number | null;
}

/** Balances by version, from 0. */
export type Balances = readonly number[];

/** Folds the log of each stream. */
export async function foldLog(client: Client): Promise<ReadonlyMap<string, Balances>> {
  const { rows } = await client.query<{ stream_id: string; type: string; amount: number }>(
    `select stream_id, type, (data ->> 'amount')::integer as amount from event_store.events order by stream_id, version`,
  );
  const wallets = new Map<string, number[]>();
  for (const { stream_id, type, amount } of rows) {
    const balances = wallets.get(stream_id) ?? [0];
    balances.push((balances.at(-1) ?? 0) + (type === 'Deposited' ? amount : -amount));
    wallets.set(stream_id, balances);
  }
  return wallets;
}

/** What the fold of the log says of the log itself, and of the rejections. */
export async function judge(
  client: Client,
  wallets: ReadonlyMap<string, Balances>,
): Promise<readonly Finding[]> {
  const overdrawn = [...wallets].flatMap(([stream, balances]) =>
    balances.flatMap((balance, version) => (balance < 0 ? [`${stream} at ${version}: ${balance}`] : [])),
  );
  const { rows } = await client.query<Rejection>(rejections);
  const wrong = rows.filter(({ stream, amount, from, to, own }) => {
    const balances = wallets.get(stream) ?? [0];
    const last = Math.min(to, own === null ? Infinity : own - 1, balances.length - 1);
    return !balances.slice(from, last + 1).some((balance) => balance < amount);
  });
  return [
    finding('no wallet is overdrawn at any version', overdrawn),
    finding(
      'a rejection was right on a state between the question and the answer',
      wrong.map((rejection) => JSON.stringify(rejection)),
    ),
  ];
}

const rejections = `
  select c.call, c.stream_id as stream, c.amount,
    coalesce((select max(k.version) from audit.known k where k.stream_id = c.stream_id and k.at < c.sent_at), 0)::integer as from,
    coalesce(
      (select min(s.version) - 1 from audit.stored s join audit.first_sent f using (commit_id)
        where s.stream_id = c.stream_id and f.sent_at > c.answered_at),
      (select max(s.version) from audit.stored s where s.stream_id = c.stream_id), 0
    )::integer as to,
    (select min(s.version) from audit.stored s where s.stream_id = c.stream_id and s.causation_id = c.command_id)::integer as own
  from audit.calls c where c.kind = 'rejected'`;

export function finding(invariant: string, offenders: readonly string[]): Finding {
  return { invariant, offenders: offenders.length, sample: offenders.slice(0, 3).join('; ') };
}

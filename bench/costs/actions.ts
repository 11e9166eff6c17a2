import { setTimeout as delay } from 'node:timers/promises';

/** Billable actions of a namespace, by kind. */
export type Actions = ReadonlyMap<string, number>;

/** Milliseconds after which the server has brought its metrics up to date, which it does once a second. */
const untilReported = 3_000;

/**
 * Counts what a Temporal server bills as actions: its metric `action`, by which the docs of Temporal Cloud estimate what a
 * self-hosted server would cost there.
 *
 * @param metricsPort of a server on this machine
 */
export async function readActions(metricsPort: number, namespace: string): Promise<Actions> {
  await delay(untilReported);
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
  if (!response.ok) throw new Error(`The metrics of the Temporal server can't be read: ${response.status}.`);
  const actions = new Map<string, number>();
  for (const [, labels = '', count] of (await response.text()).matchAll(/^action\{(.*)\} (\S+)$/gm)) {
    if (!labels.includes(`namespace="${namespace}"`)) continue;
    const [, kind = 'unknown'] = /action_type="([^"]*)"/.exec(labels) ?? [];
    actions.set(kind, (actions.get(kind) ?? 0) + Number(count));
  }
  return actions;
}

/** What was billed from one look to a later one. */
export function difference(before: Actions, after: Actions): Actions {
  return new Map(
    [...after].flatMap(([kind, count]) => {
      const more = count - (before.get(kind) ?? 0);
      return more === 0 ? [] : [[kind, more] as const];
    }),
  );
}

export function total(actions: Actions): number {
  return [...actions.values()].reduce((sum, count) => sum + count, 0);
}

import { audit, type Faults } from '../audit.js';
import { open, type Ability, type Able, type Contender } from '../contenders/contender.js';
import type { Databases } from '../databases.js';
import { Ledger } from './ledger.js';

/** A contender at work, and what it has acknowledged. */
export interface Run<A extends Ability> {
  readonly session: Able<A>;
  readonly ledger: Ledger;
}

export async function openAll<A extends Ability>(
  contenders: readonly Contender[],
  urlOf: Databases['urlOf'],
  ...abilities: readonly A[]
): Promise<Map<Contender, Run<A>>> {
  const runs = new Map<Contender, Run<A>>();
  for (const contender of contenders) {
    const session = await open(contender, urlOf(contender), ...abilities);
    runs.set(contender, { session, ledger: new Ledger() });
  }
  return runs;
}

export async function closeAndAudit<A extends Ability>(
  runs: ReadonlyMap<Contender, Run<A>>,
  urlOf: Databases['urlOf'],
): Promise<Map<Contender, Faults>> {
  const faults = new Map<Contender, Faults>();
  for (const [contender, { session, ledger }] of runs) {
    await session.close();
    faults.set(contender, await audit(contender, urlOf(contender), ledger));
  }
  return faults;
}

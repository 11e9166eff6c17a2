import { deepStrictEqual } from 'node:assert/strict';
import { open, type Ability, type Able, type Contender } from '../contenders/contender.js';
import { fill, type Databases } from '../databases.js';

/** Fills the database of each contender once, and opens a session of each. */
export async function openFilled<A extends Ability>(
  contenders: readonly Contender[],
  { urlOf }: Databases,
  rowsSql: string,
  ability: A,
): Promise<Map<Contender, Able<A>>> {
  const filled = new Set<string>();
  const sessions = new Map<Contender, Able<A>>();
  for (const contender of contenders) {
    const url = urlOf(contender);
    if (!filled.has(url)) await fill(contender, url, rowsSql);
    filled.add(url);
    sessions.set(contender, await open(contender, url, ability));
  }
  return sessions;
}

export async function closeAll(sessions: ReadonlyMap<Contender, { close(): Promise<void> }>): Promise<void> {
  for (const session of sessions.values()) await session.close();
}

/** Those who read the same database must answer with the same objects, or the rates of different things are compared. */
export async function assertSameAnswers<A extends Ability>(
  sessions: ReadonlyMap<Contender, Able<A>>,
  ask: (session: Able<A>) => Promise<unknown>,
): Promise<void> {
  const answers = new Map<string, unknown>();
  for (const [{ name, database }, session] of sessions) {
    const answer = await ask(session);
    if (answers.has(database)) deepStrictEqual(answer, answers.get(database), `${name} answers otherwise`);
    else answers.set(database, answer);
  }
}

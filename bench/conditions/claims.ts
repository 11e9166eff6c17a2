import { Conflict, type Append, type Contender, type TagFilter } from '../contenders/contender.js';
import { createEventSource } from '../workload/events.js';
import { toAppend } from './appends.js';
import { wayOf, type OpenWay, type Way } from './way.js';

/** Callers who want the same keys at the same time. */
export const rivals = 4;

/** Of something that there must be once, such as an account of an e-mail address. */
interface Claim {
  readonly append: Append;
  /** Takes the claims of the same key. */
  readonly filter: TagFilter;
}

const type = 'Claimed';

/** Callers claim keys: each reads whether a key is taken, and appends if it isn't. */
export function claims(contender: Contender): Way {
  return wayOf(
    contender,
    ['appendIf', 'find'],
    (session, ledger) =>
      race(async ({ append, filter }) => {
        const { count, after } = await session.find(filter);
        if (count > 0) return false;
        await session.appendIf(append, { filters: [filter], after });
        ledger.acknowledge(append);
        return true;
      }),
    countClaimedTwice(contender),
  );
}

/** The same without a condition, so that it must go wrong. */
export function uncheckedClaims(contender: Contender): Way {
  return wayOf(
    contender,
    ['append', 'find'],
    (session, ledger) =>
      race(async ({ append, filter }) => {
        const { count } = await session.find(filter);
        if (count > 0) return false;
        await session.append(append);
        ledger.acknowledge(append);
        return true;
      }),
    countClaimedTwice(contender),
  );
}

/** Two claims of each key, which a caller hands over together. */
export function doubleClaims(contender: Contender): Way {
  return wayOf(
    contender,
    ['appendBothIf'],
    (session) => {
      const nextClaim = createClaimSource();
      let key = 0;
      return async () => {
        const [one, other] = [nextClaim(String(++key)), nextClaim(String(key))];
        await session.appendBothIf([one.append, other.append], { filters: [one.filter], after: 0 });
        return 1;
      };
    },
    countClaimedTwice(contender),
  );
}

/** Rivals go for the first key that is free as far as they know. */
function race(claim: (claim: Claim) => Promise<boolean>): OpenWay['step'] {
  const nextClaim = createClaimSource();
  const firstFree: number[] = [];
  return async (caller) => {
    const group = Math.floor(caller / rivals);
    const key = (firstFree[group] ??= 0);
    try {
      return (await claim(nextClaim(`${group}-${key}`))) ? 1 : 0;
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      return 0;
    } finally {
      firstFree[group] = Math.max(firstFree[group], key + 1);
    }
  };
}

function createClaimSource(): (key: string) => Claim {
  const nextEvent = createEventSource();
  return (key) => {
    const tags = [`key:${key}`];
    return { append: toAppend({ ...nextEvent(), type, tags }), filter: { types: [type], tags } };
  };
}

function countClaimedTwice({ table }: Contender): string {
  return `select count(*) from (select from ${table} where type = '${type}' group by tags having count(*) > 1) k`;
}

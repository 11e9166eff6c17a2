import {
  conditional,
  disjointTags,
  hotTag,
  manyTags,
  oneAppend,
  plain,
  twoAppends,
} from '../conditions/appends.js';
import { claims, doubleClaims, rivals, uncheckedClaims } from '../conditions/claims.js';
import { measureSearch } from '../conditions/search.js';
import { measureWays, turnsOf } from '../conditions/way.js';
import { findBefore } from '../contenders/before.js';
import type { Contender } from '../contenders/contender.js';
import { dcbEs } from '../contenders/dcb-es.js';
import { ours } from '../contenders/ours.js';
import type { Bench, Row, Suite } from './suite.js';

const callerCounts = [1, 16, 64];
const manyCallers = [16, 64];

/** Appends under conditions and to several streams: what they cost, and what those without them pay for it. */
export const conditions: Suite = {
  name: 'conditions',
  async run(bench) {
    const before = findBefore();
    const rows = [
      ...(await measureConditional(bench)),
      ...(before === undefined ? [] : await measurePlain(bench, before)),
      ...(await measureStreams(bench)),
      ...(await measurePeer(bench)),
      ...(await measureSearch(bench)),
    ];
    const { count, seconds } = turnsOf(bench.settings);
    return {
      title: 'Conditions and several streams',
      rows,
      notes: [
        `${count} turns of ${seconds} s each; ratios to the first contender of the workload. Events go to new streams. A condition has the position of the last answer, as that of a caller who has just read.`,
        `Claims: ${rivals} callers at a time read whether a key is taken, and append. \`unchecked\` appends without a condition, so that it must go wrong. Double claims: two appends under one condition, sent together; by ours in two calls, by dcb-es in one, which by its documentation checks every condition before it appends.`,
        'Conditions of so many events ago: the median time of a single caller’s append, when there is nothing in the way.',
        before === undefined
          ? 'Not compared with the code before: BENCH_BEFORE names no package.'
          : 'Before: the package at BENCH_BEFORE.',
      ],
    };
  },
};

const names = {
  plain: 'plain',
  condition: 'condition',
  twoAppends: 'two appends',
  oneAppend: 'one append',
} as const;

/** The contenders whose faults are ours. */
export const waysOfOurs: readonly string[] = Object.values(names);

/** Ours, as a way that has a database of its own. */
function oursAs(name: string): Contender {
  return { ...ours, name, database: name.replace(' ', '-') };
}

/** The same events with and without a condition. */
async function measureConditional(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, tagging] of [
    ['disjoint', disjointTags],
    ['hot', hotTag],
  ] as const) {
    for (const callers of callerCounts) {
      const workload = taggedWorkload(name, callers);
      const ways = [plain(oursAs(names.plain), tagging), conditional(oursAs(names.condition), tagging)];
      rows.push(...(await measureWays(bench, { workload, callers }, ways)));
    }
  }
  return rows;
}

export function taggedWorkload(tags: 'disjoint' | 'hot', callers: number): string {
  return `${tags === 'disjoint' ? 'disjoint tags' : 'one hot tag'}, ${toCallers(callers)}`;
}

/** Those who use no conditions, against the code that had none. */
async function measurePlain(bench: Bench, before: Contender): Promise<Row[]> {
  const rows: Row[] = [];
  for (const tags of [0, 2, 5] as const) {
    for (const callers of callerCounts) {
      const ways = [plain(before, manyTags(tags)), plain(ours, manyTags(tags))];
      rows.push(...(await measureWays(bench, { workload: plainWorkload(tags, callers), callers }, ways)));
    }
  }
  return rows;
}

export function plainWorkload(tags: number, callers: number): string {
  return `plain, ${tags === 0 ? 'no' : tags} tags, ${toCallers(callers)}`;
}

async function measureStreams(bench: Bench): Promise<Row[]> {
  const ways = [twoAppends(oursAs(names.twoAppends)), oneAppend(oursAs(names.oneAppend))];
  const load = { workload: streamsWorkload(16), callers: 16, unit: 'events/s' } as const;
  return measureWays(bench, load, ways);
}

export function streamsWorkload(callers: number): string {
  return `two streams, ${toCallers(callers)}`;
}

async function measurePeer(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const callers of manyCallers) {
    const appends = [dcbEs, ours].map((contender) => conditional(contender, disjointTags));
    rows.push(...(await measureWays(bench, { workload: peerWorkload(callers), callers }, appends)));
  }
  for (const callers of manyCallers) {
    const load = { workload: `claims, ${toCallers(callers)}`, callers, unit: 'keys/s' } as const;
    const ways = [...[dcbEs, ours].map(claims), uncheckedClaims(oursAs('unchecked'))];
    const measured = await measureWays(bench, load, ways);
    if (measured.at(-1)!.counts?.['acceptedWrongly'] === 0) {
      throw new Error('Without a condition, no key was claimed twice: it was no race.');
    }
    rows.push(...measured);
  }
  const load = { workload: `double claims, ${toCallers(16)}`, callers: 16, unit: 'keys/s' } as const;
  rows.push(...(await measureWays(bench, load, [dcbEs, ours].map(doubleClaims))));
  return rows;
}

export function peerWorkload(callers: number): string {
  return `condition, disjoint tags, ${toCallers(callers)}`;
}

function toCallers(count: number): string {
  return `${count} caller${count === 1 ? '' : 's'}`;
}

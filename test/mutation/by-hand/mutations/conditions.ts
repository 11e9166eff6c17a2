import type { Mutation } from '../mutation.js';

const functions = 'src/sql/migrations/0002_append_conditions.sql';
const conformance = 'test/postgres/conformance.test.ts';
const hazards = 'test/postgres/conditions/hazards.test.ts';
const conflicts = 'test/postgres/conditions/conflicts.test.ts';
const upgrade = 'test/postgres/conditions/upgrade.test.ts';
const lostReplies = 'test/postgres/conditions/lost-replies.test.ts';

/** Appends under a condition, and to several streams. */
export const conditions: readonly Mutation[] = [
  {
    name: 'A condition shares its tags',
    file: functions,
    find: 'union all select unnest(p_exclusive), true)',
    replace: 'union all select unnest(p_exclusive), false)',
    project: 'postgres',
    tests: [hazards],
    pattern: 'with a tag is waited for by a condition on the tag',
  },
  {
    name: 'The locks of tags are taken in the order of the call',
    file: functions,
    find: 'group by 1 order by 1\n    ) k;',
    replace: 'group by 1 order by min(array_position(p_shared, t.tag))\n    ) k;',
    project: 'postgres',
    tests: [hazards],
    pattern: 'are taken in one order',
  },
  {
    name: 'An append of many tags locks none',
    file: functions,
    find: 'elsif array_length(p_shared, 1) > 128 then\n    perform pg_advisory_xact_lock(1163152728, v_schema);',
    replace: 'elsif array_length(p_shared, 1) > 128 then',
    project: 'postgres',
    tests: [hazards],
    pattern: 'of many tags, such as an import',
  },
  {
    name: 'A condition on everything shares the lock of appends',
    file: functions,
    find: 'if p_scope = 2 then\n    perform pg_advisory_xact_lock(1163152724',
    replace: 'if p_scope = 2 then\n    perform pg_advisory_xact_lock_shared(1163152724',
    project: 'postgres',
    tests: [hazards],
    pattern: 'without tags is waited for by a condition on everything',
  },
  {
    name: 'A condition of another store is taken for one of this',
    file: functions,
    find: 'q_store_ids[i] <> v_store_id or q_after[i]',
    replace: 'q_after[i]',
    project: 'postgres',
    tests: [conformance],
    pattern: 'also where nothing is in the way',
  },
  {
    name: 'A conflict far behind is looked for by its tags alone',
    file: functions,
    find: 'where e.position = any (v_candidates) and e.position > p_after\n          and (p_types is null or e.type = any (p_types))',
    replace: 'where e.position = any (v_candidates) and e.position > p_after',
    project: 'postgres',
    tests: [conflicts],
    pattern: 'a rare tag on a type that it is not on',
  },
  {
    name: 'A commit that is sent again is refused by its own events',
    file: functions,
    find: '(c_are_checked or not v_are_expected or conflicts is not null or d_members is not null)',
    replace: '(not v_are_expected)',
    project: 'postgres',
    tests: [lostReplies],
    pattern: 'is not refused for its own event',
  },
  {
    name: 'A part is appended where another part of its append is not',
    file: functions,
    find: 'v_worst := greatest(v_worst, outcomes[i]);',
    replace: 'v_worst := outcomes[i];',
    project: 'postgres',
    tests: [conformance],
    pattern: 'of three is not at',
  },
  {
    name: 'Members in the order of their calls are taken to be sorted by their streams',
    file: functions,
    find: 'if v_parts > array_length(s_ids, 1) or p_members is not null then',
    replace: 'if v_parts > array_length(s_ids, 1) then',
    project: 'postgres',
    tests: [hazards],
    pattern: 'in the reverse order of their streams',
  },
  {
    name: 'An older library appends without the locks of its tags',
    file: functions,
    find: "if p_tags <> '{}' then\n    perform __schema__.lock_tags(p_tags, null, 0);\n  end if;",
    replace: '',
    project: 'postgres',
    tests: [upgrade],
    pattern: 'appends one event beside conditions',
  },
  {
    name: 'migrate does not wait for appends that know nothing of conditions',
    file: 'src/sql/migrations/migrations.ts',
    find: 'if (isUpgrade) await awaitAppendsUnderWay(port);',
    replace: 'void [isUpgrade, awaitAppendsUnderWay];',
    project: 'postgres',
    tests: [upgrade],
    pattern: 'migrate returns when',
  },
  {
    name: 'A caller may append under a condition after another append of the transaction',
    file: 'src/postgres/transaction-backend.ts',
    find: 'if (member.condition !== undefined && ',
    replace: 'if (member.parts.length < 0 && ',
    project: 'postgres',
    tests: [hazards],
    pattern: 'that has appended may not append under a condition on a tag',
  },
  {
    name: 'A batch has any number of tags',
    file: 'src/sql/append/waiting-appends.ts',
    find: 'locks.countWith(next.member.tags) <= batchLimits.tags',
    replace: 'locks.countWith(next.member.tags) <= 10_000 * batchLimits.tags',
    project: 'postgres',
    tests: [hazards],
    pattern: 'are few in a batch',
  },
];

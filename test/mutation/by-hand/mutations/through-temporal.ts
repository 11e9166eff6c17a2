import type { Mutation } from '../mutation.js';

const exactlyOnce = 'test/temporal/exactly-once.test.ts';
const client = 'src/temporal/client/temporal-event-store.ts';
const clientTest = 'test/temporal/temporal-event-store.test.ts';

/** A store on the other side of Temporal: in a workflow, or in a service. */
export const throughTemporal: readonly Mutation[] = [
  {
    name: 'A reset of a workflow makes new commit ids, and stores its appends again',
    file: 'src/temporal/workflow/commit-id.ts',
    find: 'originalExecutionRunId || runId',
    replace: 'runId || originalExecutionRunId',
    project: 'temporal',
    tests: [exactlyOnce],
    pattern: 'when the workflow is reset',
  },
  {
    name: 'The next run of a workflow makes the commit ids of the run before',
    file: 'src/temporal/workflow/commit-id.ts',
    find: 'joinNames(originalExecutionRunId || runId, ordinal)',
    replace: 'joinNames((originalExecutionRunId || runId).length, ordinal)',
    project: 'temporal',
    tests: [exactlyOnce],
    pattern: 'counts as another one',
  },
  {
    name: 'Errors of the store lose their fields on the way',
    file: 'src/temporal/shared/application-failure.ts',
    find: 'details: [smallOnes(crossingFields(error))],',
    replace: 'details: [],',
    project: 'temporal',
    tests: ['test/temporal/failures.test.ts'],
  },
  {
    name: 'A state that is too large to travel is tried again for ever',
    file: 'src/temporal/activities/commands/aggregate-activities.ts',
    find: `state: assertFitsPayload('The state', shown)`,
    replace: 'state: shown',
    project: 'temporal',
    tests: ['test/temporal/ready-made-workflows.test.ts'],
    pattern: 'too large to travel',
  },
  {
    name: 'Another append with the commit id of one that is under way gets its answer',
    file: client,
    find: 'const hash = uuidV5(canonicalJson(request));',
    replace: 'const hash = uuidV5(canonicalJson({ ...request, events: [] }));',
    project: 'temporal',
    tests: [clientTest],
    pattern: 'join the one that is under way',
  },
  {
    name: 'Who joins an append that is under way is told that it stored it',
    file: client,
    find: 'joined: (result: AppendResult) => ({ ...result, deduplicated: true }),',
    replace: 'joined: (result: AppendResult) => result,',
    project: 'temporal',
    tests: [clientTest],
    pattern: 'join the one that is under way',
  },
  {
    name: 'What schemas have made is changed by those of the worker once more',
    file: 'src/temporal/activities/events/event-store-activities.ts',
    find: 'schemasApplied ? await unchangedBy(store, events) : events',
    replace: 'events',
    project: 'temporal',
    tests: ['test/temporal/schemas.test.ts'],
    pattern: 'would change a second time',
  },
  {
    name: 'A saved aggregate goes on deciding on what the worker has changed',
    file: 'src/core/aggregates/aggregate-repository.ts',
    find: 'if (result.changedBySchema) aggregate[outdate]();',
    replace: '',
    project: 'temporal',
    tests: ['test/temporal/schemas.test.ts'],
    pattern: 'decides no more',
  },
];

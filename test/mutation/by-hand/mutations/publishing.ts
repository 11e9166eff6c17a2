import type { Mutation } from '../mutation.js';

const publishingTest = 'test/temporal/publishing.test.ts';
const reactionTest = 'test/temporal/reactions.test.ts';
const webhook = 'src/temporal/activities/webhooks/webhook-publisher.ts';
const webhookTest = 'test/unit/temporal/webhook-publisher.test.ts';

const sink = 'src/temporal/activities/projections/checkpoint-sink.ts';
const sinkTest = 'test/unit/temporal/checkpoint-sink.test.ts';

/** What leaves the store: publishers, webhooks and reactions. */
export const publishing: readonly Mutation[] = [
  {
    name: 'What a publisher has published of a page is published again',
    file: 'src/temporal/activities/projections/shard-pages.ts',
    find: '      await this.#keepDone(wanted, error);\n',
    replace: '',
    project: 'temporal',
    tests: [publishingTest],
    pattern: 'answer 503 in the middle of a page',
  },
  {
    name: 'A webhook is signed without its time, so that an old message can be sent again',
    file: 'src/temporal/activities/webhooks/webhook-signature.ts',
    find: '`${id}.${timestamp}.${body}`',
    replace: '`${id}.${body}`',
    project: 'unit',
    tests: [webhookTest],
    pattern: 'signed',
  },
  {
    name: 'A webhook goes wherever its endpoint sends it',
    file: webhook,
    find: `redirect: 'manual'`,
    replace: `redirect: 'follow'`,
    project: 'unit',
    tests: [webhookTest],
    pattern: 'is not followed',
  },
  {
    name: 'A reaction has another id each time its event comes',
    file: 'src/temporal/activities/reactions/reaction-port.ts',
    find: 'reaction, event.id, ...',
    replace: 'reaction, Date.now(), ...',
    project: 'temporal',
    tests: [reactionTest],
    pattern: 'once',
  },
  {
    name: 'A workflow that has ended is started again when its event comes again',
    file: 'src/temporal/activities/reactions/reaction-port.ts',
    find: `workflowIdReusePolicy: 'REJECT_DUPLICATE'`,
    replace: `workflowIdReusePolicy: 'ALLOW_DUPLICATE'`,
    project: 'temporal',
    tests: [reactionTest],
    pattern: 'starts a workflow once',
  },
  {
    name: 'A publisher forgets what it has done with another number of shards',
    file: sink,
    find: '        ...(isPassed !== undefined && { isPassed }),\n',
    replace: '',
    project: 'unit',
    tests: [sinkTest],
    pattern: 'another number of shards',
  },
  {
    name: 'An event that is skipped moves a shard of another number of shards than it stopped in',
    file: sink,
    find: 'epoch, blockedBuild, shard',
    replace: 'epoch, build, shard',
    project: 'unit',
    tests: [sinkTest],
    pattern: 'passes over no event',
  },
  {
    name: 'A handler that others no longer wait for moves the checkpoint when it ends after all',
    file: sink,
    find: '      // The handlers may have taken longer than the others wait.\n      this.#assertOwner(key, token);\n',
    replace: '',
    project: 'unit',
    tests: [sinkTest],
    pattern: 'a page that never ends',
  },
  {
    name: 'A worker of before a rebase that wakes up moves the checkpoint again',
    file: 'src/temporal/activities/projections/shard-checkpoints.ts',
    find: 'const next = epoch + 1;',
    replace: 'const next = epoch;',
    project: 'unit',
    tests: [sinkTest],
    pattern: 'rebased',
  },
  {
    name: 'Whoever writes the depth of a reaction into its metadata stops reactions',
    file: 'src/core/reactions/reaction-depth.ts',
    find: ' && commitId.startsWith(commandPrefix)',
    replace: '',
    project: 'unit',
    tests: ['test/unit/core/define-reaction.test.ts'],
    pattern: 'counts the reactions',
  },
  {
    name: 'A plugin with other projections hides those of the one before',
    file: 'src/temporal/worker/join-activities.ts',
    find: '  if (lacksTheirs.length === 0) return true;\n',
    replace: '  if (lacksTheirs.length >= 0) return true;\n',
    project: 'temporal',
    tests: ['test/temporal/event-store-plugin.test.ts'],
    pattern: 'beside another',
  },
];

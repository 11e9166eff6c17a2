import type { Mutation } from '../mutation.js';

const publishingTest = 'test/temporal/publishing.test.ts';
const reactionTest = 'test/temporal/reactions.test.ts';
const webhook = 'src/temporal/activities/webhooks/webhook-publisher.ts';
const webhookTest = 'test/unit/temporal/webhook-publisher.test.ts';

/** What leaves the store: publishers, webhooks and reactions. */
export const publishing: readonly Mutation[] = [
  {
    name: 'What a publisher has published of a page is published again',
    file: 'src/temporal/activities/projections/share-pages.ts',
    find: '      await this.#keepDone(wanted, error);\n',
    replace: '',
    project: 'temporal',
    tests: [publishingTest],
    pattern: 'answer 503 in the middle of a page',
  },
  {
    name: 'The checkpoint of a publisher moves before its events are published',
    file: 'src/temporal/activities/projections/checkpoint-sink.ts',
    find: '      this.#assertOwner(key, token);\n      await write({',
    replace:
      '      this.#assertOwner(key, token);\n      if (checkpoint !== undefined) await this.#checkpoints.save(name, checkpoint);\n      await write({',
    project: 'temporal',
    tests: [publishingTest],
    pattern: 'leaves nothing unpublished',
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
    name: 'A webhook that refuses an event blames the first of its page',
    file: webhook,
    find: 'if (done > 0) throw new TryAgainLaterError(message, { retryAfter: 0, done });',
    replace: '',
    project: 'unit',
    tests: [webhookTest],
    pattern: 'in the middle of a page',
  },
  {
    name: 'A reaction has another id each time its event comes',
    file: 'src/temporal/activities/reactions/reaction-port.ts',
    find: '${reaction}/${event.id}/${place}`',
    replace: '${reaction}/${Date.now()}/${place}`',
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
    name: 'A commit that was stored before is not published: who stored it may have died before he did',
    file: 'src/temporal/workflows/event-store-workflows.ts',
    find: 'if (publish) {',
    replace: 'if (publish && !result.deduplicated) {',
    project: 'temporal',
    tests: ['test/temporal/ready-made-workflows.test.ts'],
    pattern: 'publishes a repeated commit again',
  },
];

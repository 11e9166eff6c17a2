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
];

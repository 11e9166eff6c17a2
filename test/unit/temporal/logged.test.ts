import { Context } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { expect, it } from 'vitest';
import { VersionConflictError } from '../../../src/core/errors/append-errors.js';
import { StoreUnavailableError } from '../../../src/core/errors/store-errors.js';
import { logged } from '../../../src/temporal/activities/logged.js';

type Entry = readonly [level: string, message: string, attributes: Record<string, unknown> | undefined];

async function entriesOf(run: (environment: MockActivityEnvironment) => Promise<unknown>): Promise<Entry[]> {
  const entries: Entry[] = [];
  const write =
    (level: string) =>
    (message: string, attributes?: Record<string, unknown>): void =>
      void entries.push([level, message, attributes]);
  const logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const environment = new MockActivityEnvironment(undefined, {
    logger: new DefaultLogger('ERROR', () => undefined),
  });
  await environment
    .run(() => logged(logger, 'Work', { id: 7 }, () => run(environment), 'info'))
    .catch(() => undefined);
  return entries;
}

it.each([
  ['a success', async () => 1, 'info', 'Work'],
  [
    'a conflict',
    async () =>
      Promise.reject(
        new VersionConflictError('behind', { streamId: 's', expectedVersion: 1, actualVersion: 2 }),
      ),
    'warn',
    'Work failed',
  ],
  [
    'a store that is away',
    async () => Promise.reject(new StoreUnavailableError('away', { commitId: undefined })),
    'error',
    'Work failed',
  ],
  ['an unexpected error', async () => Promise.reject(new TypeError('no')), 'error', 'Work failed'],
  [
    'a cancellation',
    async (environment: MockActivityEnvironment) => {
      environment.cancel();
      return Context.current().cancelled;
    },
    'debug',
    'Work cancelled',
  ],
])('%s is one entry of its level', async (_what, run, level, message) => {
  expect(await entriesOf(run)).toEqual([[level, message, expect.objectContaining({ id: 7 })]]);
});

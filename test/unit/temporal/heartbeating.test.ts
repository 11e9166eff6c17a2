import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';
import { heartbeating } from '../../../src/temporal/activities/projections/heartbeating.js';

it('gives signs of life until the work is done, each with its details', async () => {
  const environment = new MockActivityEnvironment({ heartbeatTimeoutMs: 20 });
  const beats: unknown[] = [];
  const thirdBeat = new Promise<void>((resolve) => {
    environment.on('heartbeat', (details) => {
      beats.push(details);
      if (beats.length === 3) resolve();
    });
  });
  let position = 0;

  const done = await environment.run(() =>
    heartbeating(
      async () => {
        await thirdBeat;
        return 'done';
      },
      () => ({ position: ++position }),
    ),
  );

  expect(done).toBe('done');
  expect(beats).toEqual([{ position: 1 }, { position: 2 }, { position: 3 }]);
});

it('gives none where nobody waits for them, as in a local activity', async () => {
  const environment = new MockActivityEnvironment();
  environment.on('heartbeat', () => expect.fail('a heartbeat'));

  expect(await environment.run(() => heartbeating(async () => 'done'))).toBe('done');
});

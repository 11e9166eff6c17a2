import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, it, onTestFinished, vi } from 'vitest';
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

it('gives several in the time after which it counts as dead', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const environment = new MockActivityEnvironment({ heartbeatTimeoutMs: 10_000 });
  let beats = 0;
  environment.on('heartbeat', () => beats++);

  const done = environment.run(() =>
    heartbeating(() => new Promise<void>((resolve) => setTimeout(resolve, 10_000))),
  );
  await vi.advanceTimersByTimeAsync(10_000);
  await done;

  expect(beats).toBeGreaterThanOrEqual(3);
});

it('gives none where nobody waits for them, as in a local activity', async () => {
  const environment = new MockActivityEnvironment();
  environment.on('heartbeat', () => expect.fail('a heartbeat'));

  expect(await environment.run(() => heartbeating(async () => 'done'))).toBe('done');
});

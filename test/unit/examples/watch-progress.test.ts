import { defaultPayloadConverter } from '@temporalio/common';
import { beforeEach, describe, expect, it } from 'vitest';
import { watchProgress } from '../../../examples/event-log/watch-progress.js';

type Handle = Parameters<typeof watchProgress>[0];

const heartbeat = (done: number) => ({ payloads: [defaultPayloadConverter.toPayload({ done, total: 9 })] });

let watching: AbortController;
let seen: number[];

beforeEach(() => {
  watching = new AbortController();
  seen = [];
});

/** A workflow whose activities are these, look by look; the last is the last. */
function handleOf(...looks: readonly (readonly object[] | undefined)[]): Handle {
  const left = [...looks];
  return {
    describe: () => {
      const pendingActivities = left.shift();
      if (left.length === 0) watching.abort();
      return Promise.resolve({ raw: { pendingActivities } }) as never;
    },
  };
}

const watch = (handle: Handle): Promise<void> =>
  watchProgress(handle, 'import', ({ done }) => seen.push(done), watching.signal);

describe('who watches an import', () => {
  it('hears again and again what the activity last said', async () => {
    const importing = (done: number) => [
      { activityType: { name: 'import' }, heartbeatDetails: heartbeat(done) },
    ];
    await watch(handleOf(importing(1), importing(4)));
    expect(seen).toEqual([1, 4]);
  });

  it('hears nothing of other activities, nor of one that has said nothing', async () => {
    const others = [
      { activityType: { name: 'check' }, heartbeatDetails: heartbeat(1) },
      { activityType: { name: 'import' } },
      { activityType: { name: 'import' }, heartbeatDetails: {} },
      { activityType: { name: 'import' }, heartbeatDetails: { payloads: [] } },
      { heartbeatDetails: heartbeat(2) },
    ];
    const importing = { activityType: { name: 'import' }, heartbeatDetails: heartbeat(3) };
    await watch(handleOf([...others, importing]));
    expect(seen).toEqual([3]);
  });

  it('goes on where no activity is under way', async () => {
    await watch(handleOf(undefined, [{ activityType: { name: 'import' }, heartbeatDetails: heartbeat(3) }]));
    expect(seen).toEqual([3]);
  });

  it('does it no harm by not being able to', async () => {
    await watch({ describe: () => Promise.reject(new Error('The server is gone')) });
    expect(seen).toEqual([]);
  });

  it('asks nothing when it is over already', async () => {
    watching.abort();
    await watch({ describe: () => expect.fail('asked') });
  });
});

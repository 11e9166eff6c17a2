import { OwnershipLostError, type RecordedEvent } from 'temporal-event-store';
import { MemoryProjectionSink } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';

type Model = Map<string, number>;
type Sink = MemoryProjectionSink<Model>;

const spec = { name: 'balances', version: 1, shards: 2 };
const untouched = { applied: 0, rate: 0 };
const none = { init: undefined, reset: undefined };

/** Of the streams below, `A-1` belongs to share 0 of 2 and `A-2` to share 1. */
function eventAt(position: number, streamId = 'A-1'): RecordedEvent {
  return {
    id: `event-${position}`,
    type: 'Deposited',
    streamId,
    version: position,
    position,
    commitId: `commit-${position}`,
    schemaVersion: 1,
    data: {},
    metadata: {},
    tags: [],
    occurredAt: '2024-01-01T00:00:00.000Z',
    recordedAt: '2024-01-01T00:00:00.000Z',
  };
}

function failureAt(position: number, streamId?: string) {
  return { event: eventAt(position, streamId), error: 'poison', attempts: 3 };
}

/** As an operator sees it. */
function listedAt(position: number, streamId?: string) {
  const { id, streamId: stream, version, type } = eventAt(position, streamId);
  return { ...failureAt(position), event: { id, streamId: stream, version, position, type } };
}

const nothingParked = { streams: [], retrying: [], skipped: [], blocking: [] };

function emptySink(): Sink {
  return new MemoryProjectionSink<Model>(() => new Map());
}

async function opened(): Promise<{ sink: Sink; build: number }> {
  const sink = emptySink();
  const [live] = await sink.open(spec, undefined);
  return { sink, build: live!.build };
}

/** Parks events of a shard, at its checkpoint `position`. */
async function parkIn(
  sink: Sink,
  key: { name: string; build: number; shard: number },
  failures: readonly ReturnType<typeof failureAt>[],
  position = 1,
): Promise<void> {
  const { token } = await sink.acquire(key);
  const progress = { ...untouched, checkpoint: { position, storeId: 's' } };
  await sink.commit(key, token, progress, async ({ park }) => {
    for (const failure of failures) await park(failure);
  });
}

const skip = (eventId: string) => ({ action: 'skip' as const, eventId, operator: 'Ann', reason: 'wrong' });
const retry = (eventId: string) => ({ action: 'retry' as const, eventId });

it.each([undefined, null, new Map()])('a sink is not made from %s', (create) => {
  expect(() => new MemoryProjectionSink(create as never)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});

it('a sink lets each event take effect exactly once', () => {
  expect(emptySink().guarantee).toBe('exactly-once');
});

describe('opening a projection', () => {
  it('makes an empty live build, which init has seen', async () => {
    const sink = emptySink();
    expect(sink.model('balances')).toBeUndefined();
    const builds = await sink.open(spec, (model) => model.set('init', 1));
    expect(builds).toEqual([
      { ...spec, build: builds[0]!.build, role: 'live', progress: [untouched, untouched] },
    ]);
    expect(sink.model('balances')).toEqual(new Map([['init', 1]]));
  });

  it('leaves what is there as it is', async () => {
    const { sink, build } = await opened();
    const builds = await sink.open({ ...spec, version: 2 }, (model) => model.set('again', 1));
    expect(builds).toMatchObject([{ build, version: 1 }]);
    expect(sink.model('balances')).toEqual(new Map());
  });

  it('makes nothing when init throws', async () => {
    const sink = emptySink();
    const failing = sink.open(spec, () => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(sink.model('balances')).toBeUndefined();
    expect(await sink.open(spec, undefined)).toHaveLength(1);
  });

  it('keeps projections of different names apart', async () => {
    const { sink, build } = await opened();
    const [other] = await sink.open({ ...spec, name: 'totals' }, (model) => model.set('total', 1));
    expect(other!.build).not.toBe(build);
    expect(sink.model('balances')).toEqual(new Map());
    expect(sink.model('totals')).toEqual(new Map([['total', 1]]));
  });
});

describe('a commit', () => {
  it('shows its page and its progress when it is done, not before', async () => {
    const { sink, build } = await opened();
    const key = { name: 'balances', build, shard: 1 };
    const { token } = await sink.acquire(key);
    const progress = { applied: 1, rate: 2, checkpoint: { position: 7, storeId: 's' } };
    await sink.commit(key, token, progress, async ({ context }) => {
      context.set('A-2', 1);
      expect(sink.model('balances')).toEqual(new Map());
    });
    expect(sink.model('balances')).toEqual(new Map([['A-2', 1]]));
    expect(await sink.open(spec, undefined)).toMatchObject([{ progress: [untouched, progress] }]);
    expect(await sink.acquire(key)).toMatchObject(progress);
  });

  it('that throws leaves nothing behind', async () => {
    const { sink, build } = await opened();
    const key = { name: 'balances', build, shard: 0 };
    const { token } = await sink.acquire(key);
    const failing = sink.commit(key, token, { applied: 1, rate: 1 }, async ({ context, park }) => {
      context.set('A-1', 1);
      await park(failureAt(1));
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(sink.model('balances')).toEqual(new Map());
    expect(await sink.acquire(key)).toMatchObject({ ...untouched, parked: nothingParked });
  });

  it('settles an event that was parked', async () => {
    const { sink, build } = await opened();
    const key = { name: 'balances', build, shard: 0 };
    await parkIn(sink, key, [failureAt(1), failureAt(2)]);
    const { token } = await sink.acquire(key);
    await sink.commit(key, token, untouched, ({ settle }) => settle('event-1'));
    expect((await sink.parked('balances', build, 100)).map(({ event }) => event.id)).toEqual(['event-2']);
  });

  it('waits for the one before it', async () => {
    const { sink, build } = await opened();
    const [first, second] = [0, 1].map((shard) => ({ name: 'balances', build, shard }));
    const tokens = [(await sink.acquire(first!)).token, (await sink.acquire(second!)).token];
    const steps: string[] = [];
    await Promise.all([
      sink.commit(first!, tokens[0]!, untouched, async ({ context }) => {
        steps.push('first begins');
        await new Promise((resolve) => setTimeout(resolve));
        context.set('first', 1);
        steps.push('first ends');
      }),
      sink.commit(second!, tokens[1]!, untouched, async ({ context }) => {
        steps.push('second');
        context.set('second', 1);
      }),
    ]);
    expect(steps).toEqual(['first begins', 'first ends', 'second']);
    expect([...sink.model('balances')!.keys()]).toEqual(['first', 'second']);
  });
});

describe('the owner of a shard', () => {
  const writeNothing = (): Promise<void> => Promise.reject(new Error('wrote'));

  it.each([
    [
      'another has acquired it',
      (sink: Sink, build: number) => sink.acquire({ name: 'balances', build, shard: 0 }),
    ],
    ['the projection was fenced', (sink: Sink) => sink.fence('balances')],
  ])('writes nothing any more when %s', async (_when, take) => {
    const { sink, build } = await opened();
    const key = { name: 'balances', build, shard: 0 };
    const { token } = await sink.acquire(key);
    await take(sink, build);
    await expect(sink.commit(key, token, untouched, writeNothing)).rejects.toThrow(OwnershipLostError);
    await expect(sink.reportStop(key, token, failureAt(1))).rejects.toThrow(OwnershipLostError);
  });

  it('has a higher token than any before', async () => {
    const { sink, build } = await opened();
    const key = { name: 'balances', build, shard: 0 };
    const first = await sink.acquire(key);
    await sink.fence('balances');
    const second = await sink.acquire({ ...key, shard: 1 });
    const third = await sink.acquire(key);
    expect(second.token).toBeGreaterThan(first.token);
    expect(third.token).toBeGreaterThan(second.token);
  });

  it('keeps it when another shard is acquired, or another projection is fenced', async () => {
    const { sink, build } = await opened();
    const key = { name: 'balances', build, shard: 0 };
    const { token } = await sink.acquire(key);
    await sink.acquire({ ...key, shard: 1 });
    await sink.fence('totals');
    await sink.commit(key, token, untouched, async ({ context }) => void context.set('A-1', 1));
    expect(sink.model('balances')).toEqual(new Map([['A-1', 1]]));
  });

  it.each([
    ['projection', { name: 'totals' }],
    ['build', { build: -1 }],
    ['shard', { shard: 2 }],
  ])('is none of a %s that is not there', async (_what, other) => {
    const { sink, build } = await opened();
    const acquiring = sink.acquire({ name: 'balances', build, shard: 0, ...other });
    await expect(acquiring).rejects.toThrow(OwnershipLostError);
  });

  it('gets the streams of its shard in which events were parked, in order', async () => {
    const { sink, build } = await opened();
    await parkIn(sink, { name: 'balances', build, shard: 1 }, [failureAt(1, 'A-2')]);
    const key = { name: 'balances', build, shard: 0 };
    await parkIn(sink, key, [failureAt(4, 'A-3'), failureAt(2), failureAt(3)]);
    expect((await sink.acquire(key)).parked).toEqual({ ...nothingParked, streams: ['A-1', 'A-3'] });
  });

  it.each([
    ['ahead of its checkpoint', 3, ['event-4']],
    ['at its checkpoint', 4, []],
    ['behind its checkpoint', 5, []],
  ])('gets a skipped event %s: %i', async (_where, position, ids) => {
    const { sink, build } = await opened();
    const key = { name: 'balances', build, shard: 0 };
    await parkIn(sink, key, [failureAt(4)], position);
    await sink.decide('balances', build, skip('event-4'));
    expect((await sink.acquire(key)).parked.skipped).toEqual(ids);
  });
});

describe('a rebuild', () => {
  it('fills a build of its own, of which readers see nothing', async () => {
    const { sink, build } = await opened();
    const next = await sink.begin(
      { ...spec, version: 2, shards: 1 },
      { ...none, init: (model) => model.set('new', 1) },
    );
    expect(next).toEqual({
      name: 'balances',
      version: 2,
      shards: 1,
      build: next.build,
      role: 'next',
      progress: [untouched],
    });
    expect(next.build).toBeGreaterThan(build);
    expect(sink.model('balances')).toEqual(new Map());
    expect(await sink.open(spec, undefined)).toMatchObject([
      { build, role: 'live' },
      { build: next.build, role: 'next' },
    ]);
  });

  it('takes the place of one that was not finished, which reset has seen', async () => {
    const { sink, build } = await opened();
    const first = await sink.begin(spec, { ...none, init: (model) => model.set('first', 1) });
    const reset: Model[] = [];
    const second = await sink.begin(spec, { ...none, reset: (model) => reset.push(model) });
    expect(reset).toEqual([new Map([['first', 1]])]);
    expect((await sink.open(spec, undefined)).map((each) => each.build)).toEqual([build, second.build]);
    await expect(sink.parked('balances', first.build, 100)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('passes over what an operator has skipped, and nothing else, in the shard where it is now', async () => {
    const { sink, build } = await opened();
    await parkIn(sink, { name: 'balances', build, shard: 1 }, [failureAt(1, 'A-2'), failureAt(2, 'A-2')]);
    await sink.decide('balances', build, skip('event-1'));
    const next = await sink.begin({ ...spec, shards: 1 }, none);
    const skipped = { ...listedAt(1, 'A-2'), status: 'skipped', operator: 'Ann', reason: 'wrong' };
    expect(await sink.parked('balances', next.build, 100)).toMatchObject([skipped]);
    const { parked } = await sink.acquire({ name: 'balances', build: next.build, shard: 0 });
    expect(parked).toEqual({ ...nothingParked, skipped: ['event-1'] });
  });
});

describe('activating a build', () => {
  it('makes it live, and the live one the previous', async () => {
    const { sink, build } = await opened();
    const next = await sink.begin(spec, { ...none, init: (model) => model.set('next', 1) });
    await sink.activate('balances', next.build, undefined);
    expect(sink.model('balances')).toEqual(new Map([['next', 1]]));
    expect(await sink.open(spec, undefined)).toMatchObject([
      { build, role: 'previous' },
      { build: next.build, role: 'live' },
    ]);
  });

  it('drops the previous one, which reset has seen', async () => {
    const { sink } = await opened();
    await sink.inspect('balances', 1, (model) => model.set('first', 1));
    const second = await sink.begin(spec, none);
    await sink.activate('balances', second.build, undefined);
    const third = await sink.begin(spec, none);
    const reset: Model[] = [];
    await sink.activate('balances', third.build, (model) => reset.push(model));
    expect(reset).toEqual([new Map([['first', 1]])]);
    expect(await sink.open(spec, undefined)).toMatchObject([
      { build: second.build, role: 'previous' },
      { build: third.build, role: 'live' },
    ]);
  });

  it('goes back to the previous one, and forth again', async () => {
    const { sink, build } = await opened();
    const next = await sink.begin(spec, none);
    const forget = (): never => {
      throw new Error('forgot');
    };
    for (const [to, from] of [
      [next.build, build],
      [build, next.build],
      [next.build, build],
    ]) {
      await sink.activate('balances', to!, forget);
      const builds = await sink.open(spec, undefined);
      expect(new Map(builds.map((each) => [each.build, each.role]))).toEqual(
        new Map([
          [to, 'live'],
          [from, 'previous'],
        ]),
      );
    }
  });

  it('changes nothing when it is live already', async () => {
    const { sink, build } = await opened();
    const next = await sink.begin(spec, none);
    await sink.activate('balances', next.build, undefined);
    const before = await sink.open(spec, undefined);
    await sink.activate('balances', next.build, () => {
      throw new Error('forgot');
    });
    expect(await sink.open(spec, undefined)).toEqual(before);
    expect(before).toHaveLength(2);
    expect(before[0]).toMatchObject({ build });
  });

  it('refuses one that is not there', async () => {
    const { sink } = await opened();
    await expect(sink.activate('balances', 99, undefined)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(sink.activate('totals', 1, undefined)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('dropping a build', () => {
  it('forgets it, when reset has seen it', async () => {
    const { sink, build } = await opened();
    const next = await sink.begin(spec, { ...none, init: (model) => model.set('next', 1) });
    const reset: Model[] = [];
    await sink.drop('balances', next.build, (model) => reset.push(model));
    expect(reset).toEqual([new Map([['next', 1]])]);
    expect(await sink.open(spec, undefined)).toMatchObject([{ build }]);
  });

  it('keeps the live one, and others', async () => {
    const { sink, build } = await opened();
    const next = await sink.begin(spec, none);
    await sink.drop('balances', build, undefined);
    await sink.drop('balances', 99, undefined);
    expect((await sink.open(spec, undefined)).map((each) => each.build)).toEqual([build, next.build]);
  });
});

describe('inspecting a build', () => {
  it('sees its read model', async () => {
    const { sink } = await opened();
    const next = await sink.begin(spec, { ...none, init: (model) => model.set('next', 1) });
    const seen: unknown[] = [];
    await sink.inspect('balances', next.build, (model) => seen.push(model));
    expect(seen).toEqual([new Map([['next', 1]])]);
    await sink.inspect('balances', next.build, undefined);
  });

  it('throws what the look throws', async () => {
    const { sink, build } = await opened();
    const looking = sink.inspect('balances', build, async () => Promise.reject(new Error('wrong')));
    await expect(looking).rejects.toThrow('wrong');
  });
});

describe('an event that was parked', () => {
  it.each(['parked', 'blocking'] as const)(
    'says what, why, since when, and that it is %s',
    async (status) => {
      const { sink, build } = await opened();
      const key = { name: 'balances', build, shard: 0 };
      const before = new Date().toISOString();
      if (status === 'parked') await parkIn(sink, key, [failureAt(1)]);
      else await sink.reportStop(key, (await sink.acquire(key)).token, failureAt(1));
      const [parked] = await sink.parked('balances', build, 100);
      expect(parked).toEqual({ ...listedAt(1), status, parkedAt: parked?.parkedAt });
      expect(parked!.parkedAt >= before && parked!.parkedAt <= new Date().toISOString()).toBe(true);
    },
  );

  it('is listed with the others in the order of positions', async () => {
    const { sink, build } = await opened();
    await parkIn(sink, { name: 'balances', build, shard: 0 }, [failureAt(10), failureAt(9)]);
    await parkIn(sink, { name: 'balances', build, shard: 1 }, [failureAt(2, 'A-2')]);
    const positions = (await sink.parked('balances', build, 100)).map(({ event }) => event.position);
    expect(positions).toEqual([2, 9, 10]);
  });

  it('is tried again with the others that wait in its stream', async () => {
    const { sink, build } = await opened();
    const key = { name: 'balances', build, shard: 0 };
    await parkIn(sink, key, [failureAt(1), failureAt(2), failureAt(3, 'B-1')]);
    expect(await sink.decide('balances', build, retry('event-1'))).toBe(true);
    const statuses = (await sink.parked('balances', build, 100)).map(({ status }) => status);
    expect(statuses).toEqual(['retrying', 'retrying', 'parked']);
  });

  it('is given to who tries it again, and waits again with those behind it when it fails', async () => {
    const { sink, build } = await opened();
    const key = { name: 'balances', build, shard: 0 };
    await parkIn(sink, key, [failureAt(2), failureAt(1), failureAt(3, 'B-1')]);
    expect(await sink.nextRetried(key, 'A-1')).toBeUndefined();
    await sink.decide('balances', build, retry('event-2'));
    const { token, parked } = await sink.acquire(key);
    expect(parked).toEqual({ ...nothingParked, streams: ['A-1', 'B-1'], retrying: ['A-1'] });
    expect(await sink.nextRetried(key, 'A-1')).toEqual(eventAt(1));

    await sink.commit(key, token, untouched, async ({ park, parkBehind }) => {
      await park({ ...failureAt(1), error: 'again' });
      await parkBehind('A-1', 'behind');
    });

    expect(await sink.nextRetried(key, 'A-1')).toBeUndefined();
    expect(await sink.parked('balances', build, 2)).toMatchObject([
      { ...listedAt(1), error: 'again', status: 'parked' },
      { ...listedAt(2), error: 'behind', attempts: 0, status: 'parked' },
    ]);
  });

  it('is skipped for a reason, and those behind it are tried again', async () => {
    const { sink, build } = await opened();
    await parkIn(sink, { name: 'balances', build, shard: 0 }, [failureAt(1), failureAt(2)]);
    expect(await sink.decide('balances', build, skip('event-1'))).toBe(true);
    expect(await sink.parked('balances', build, 100)).toMatchObject([
      { status: 'skipped', operator: 'Ann', reason: 'wrong' },
      { status: 'retrying' },
    ]);
  });

  it.each([
    ['retried is no longer there', retry('event-1'), []],
    ['skipped stays as such', skip('event-1'), [{ status: 'skipped', operator: 'Ann', reason: 'wrong' }]],
  ])('and blocks: %s, and what is parked behind stays', async (_what, decision, left) => {
    const { sink, build } = await opened();
    const key = { name: 'balances', build, shard: 0 };
    await parkIn(sink, key, [failureAt(2)]);
    await sink.reportStop(key, (await sink.acquire(key)).token, failureAt(1));
    expect(await sink.decide('balances', build, decision)).toBe(true);
    expect(await sink.parked('balances', build, 100)).toMatchObject([
      ...left,
      { ...listedAt(2), status: 'parked' },
    ]);
  });

  it.each([
    ['that is not there', 'event-9'],
    ['that was skipped', 'event-1'],
  ])('takes no decision %s', async (_which, eventId) => {
    const { sink, build } = await opened();
    await parkIn(sink, { name: 'balances', build, shard: 0 }, [failureAt(1)]);
    await sink.decide('balances', build, skip('event-1'));
    const before = await sink.parked('balances', build, 100);
    expect(await sink.decide('balances', build, retry(eventId))).toBe(false);
    expect(await sink.decide('balances', build, { ...skip(eventId), operator: 'Bob' })).toBe(false);
    expect(await sink.parked('balances', build, 100)).toEqual(before);
  });
});

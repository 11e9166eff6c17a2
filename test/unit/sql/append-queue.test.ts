import { beforeEach, describe, expect, it, vi } from 'vitest';
import { toMember, type AppendMember, type AppendPart } from '../../../src/sql/append/append-member.js';
import { AppendQueue, defaultMaxQueuedBytes } from '../../../src/sql/append/append-queue.js';
import type { BatchOrder, BatchRunner, MemberOutcome } from '../../../src/sql/append/batch-runner.js';
import type { AnsweredAppend } from '../../../src/sql/sql-backend.js';

type RunBatch = BatchRunner['run'];

const appended: AnsweredAppend = { kind: 'appended', commits: [], wasRepeated: false };

let commits = 0;

/** An append of events of a size, in the stream `A-1` unless it says another. */
function append(streamId = 'A-1', size: Parameters<typeof part>[1] = {}): AppendMember {
  return toMember([part(streamId, size)]);
}

function part(
  streamId: string,
  { events = 1, characters = 10, metadata = 2, eventId = `event-${++commits}` } = {},
): AppendPart {
  const event = { type: 'Opened', schemaVersion: 1, correlationId: undefined, tags: [] };
  const data = 'x'.repeat(characters - 2);
  return {
    streamId,
    expectedVersion: 'any',
    commits: [
      {
        commitId: eventId,
        mayBeStored: true,
        eventIds: [eventId],
        events: Array.from({ length: events }, () => ({
          ...event,
          data,
          metadata: 'x'.repeat(metadata),
          occurredAt: undefined,
        })),
      },
    ],
  };
}

/** The batches that a queue has sent; each waits until it is told how it ended. */
class Batches {
  readonly sent: (readonly AppendMember[])[] = [];
  readonly orders: BatchOrder[] = [];
  readonly #end: ((outcomes: readonly MemberOutcome[]) => void)[] = [];

  readonly run: RunBatch = (members, order) => {
    this.sent.push(members);
    this.orders.push(order);
    return new Promise((resolve) => this.#end.push(resolve));
  };

  get streams(): string[][] {
    return this.sent.map((members) =>
      members.map(({ parts }) => parts.map(({ streamId }) => streamId).join('+')),
    );
  }

  async end(batch: number, outcomes?: readonly MemberOutcome[]): Promise<void> {
    this.#end[batch]?.(outcomes ?? this.sent[batch]!.map(() => ({ status: 'fulfilled', value: appended })));
    await turn();
  }
}

/** Lets all happen that happens by itself. */
async function turn(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise((resolve) => setImmediate(resolve));
}

let batches: Batches;

beforeEach(() => {
  batches = new Batches();
});

const queueOf = ({
  maxConcurrentBatches = 1,
  maxAppends = 1_000,
  maxBytes = defaultMaxQueuedBytes,
} = {}): AppendQueue => new AppendQueue(batches, { maxConcurrentBatches, maxAppends, maxBytes });

describe('appends that come together', () => {
  it('go in one batch, and each gets its own outcome', async () => {
    const queue = queueOf();
    const answers = Promise.allSettled(
      [append('A-1'), append('A-2'), append('A-3')].map((each) => queue.append(each)),
    );
    await turn();
    expect(batches.streams).toEqual([['A-1', 'A-2', 'A-3']]);
    const conflict: AnsweredAppend = { kind: 'conflict', part: 0, actualVersion: 7, wasRepeated: false };
    const outcomes: PromiseSettledResult<AnsweredAppend>[] = [
      { status: 'fulfilled', value: appended },
      { status: 'rejected', reason: 'broken' },
      { status: 'fulfilled', value: conflict },
    ];
    await batches.end(0, outcomes);
    expect(await answers).toEqual(outcomes);
  });

  it('are told when the newest of them came', async () => {
    const run = vi.fn<RunBatch>(async (members) =>
      members.map(() => ({ status: 'fulfilled', value: appended })),
    );
    const queue = new AppendQueue({ run }, { maxConcurrentBatches: 1, maxAppends: 10, maxBytes: 1_000 });
    const first = queue.append(append('A-1'));
    const between = performance.now();
    while (performance.now() === between);
    await Promise.all([first, queue.append(append('A-2'))]);
    expect(run.mock.calls[0]?.[1].enqueuedAt).toBeGreaterThan(between);
  });

  it('wait while all batches are under way, and then go together', async () => {
    const queue = queueOf({ maxConcurrentBatches: 2 });
    for (const stream of ['A-1', 'A-2', 'A-3', 'A-4']) {
      void queue.append(append(stream));
      await turn();
    }
    expect(batches.streams).toEqual([['A-1'], ['A-2']]);
    await batches.end(1);
    expect(batches.streams.slice(2)).toEqual([['A-3', 'A-4']]);
  });

  it.each([
    ['32 appends', 40, {}, [32, 8]],
    ['100 events', 5, { events: 30 }, [3, 2]],
    ['100 events, exactly', 5, { events: 50 }, [2, 2, 1]],
    ['a million characters', 5, { characters: 400_000 }, [2, 2, 1]],
    ['a million characters, exactly', 5, { characters: 499_998 }, [2, 2, 1]],
    ['a million characters of metadata', 5, { metadata: 400_000 }, [2, 2, 1]],
  ])('are at most %s in a batch', async (_limit, count, size, lengths) => {
    const queue = queueOf();
    for (let index = 0; index < count; index++) void queue.append(append(`A-${index}`, size));
    for (let batch = 0; batch < lengths.length; batch++) {
      await turn();
      await batches.end(batch);
    }
    expect(batches.sent.map((members) => members.length)).toEqual(lengths);
  });

  it.each([{ events: 101 }, { characters: 1_000_001 }])('go alone when they are larger: %j', async (size) => {
    const queue = queueOf();
    void queue.append(append('A-1', size));
    void queue.append(append('A-2'));
    await turn();
    expect(batches.streams).toEqual([['A-1']]);
  });
});

describe('the streams of a queue', () => {
  it('take turns, so that many appends to one hold up no other', async () => {
    const queue = queueOf();
    for (let index = 0; index < 40; index++) void queue.append(append('A-1'));
    void queue.append(append('A-2'));
    void queue.append(append('A-3'));
    await turn();
    expect(batches.streams[0]!.slice(0, 5)).toEqual(['A-1', 'A-2', 'A-3', 'A-1', 'A-1']);
    expect(batches.streams[0]).toHaveLength(32);
  });

  it('go to the end of the turns when they were served', async () => {
    const queue = queueOf();
    for (const stream of ['A-1', 'A-1', 'A-2', 'A-2', 'A-3']) {
      void queue.append(append(stream, { events: 50 }));
    }
    for (let batch = 0; batch < 3; batch++) {
      await turn();
      await batches.end(batch);
    }
    expect(batches.streams).toEqual([['A-1', 'A-2'], ['A-3', 'A-1'], ['A-2']]);
  });

  it('are in one batch at a time, in the order of the calls', async () => {
    const queue = queueOf({ maxConcurrentBatches: 2 });
    const first = append('A-1', { events: 101 });
    const [second, third] = [append('A-1'), append('A-1')];
    for (const member of [first, second, third]) void queue.append(member);
    void queue.append(append('A-2'));
    await turn();
    expect(batches.streams).toEqual([['A-1'], ['A-2']]);
    await batches.end(0);
    expect(batches.sent[2]).toEqual([second, third]);
  });

  it('let the copy of a commit wait for it', async () => {
    const queue = queueOf();
    const commit = append('A-1', { eventId: 'same' });
    void queue.append(commit);
    void queue.append(append('A-1', { eventId: 'same' }));
    void queue.append(append('A-2'));
    await turn();
    expect(batches.streams).toEqual([['A-1', 'A-2']]);
    await batches.end(0);
    expect(batches.streams[1]).toEqual(['A-1']);
  });
});

it('a chain of which one commit is under way in the same batch waits for it', async () => {
  const queue = queueOf();
  const [one, other] = [part('A-1', { eventId: 'same' }), part('A-1')];
  const first = toMember([one]);
  void queue.append(first);
  void queue.append(toMember([{ ...other, commits: [...other.commits, ...one.commits] }]));
  await turn();
  expect(batches.sent).toEqual([[first]]);
});

describe('an append to several streams', () => {
  const both = (...streams: readonly string[]): AppendMember =>
    toMember(streams.map((streamId) => part(streamId, {})));

  it('keeps the order of the calls in each of them', async () => {
    const queue = queueOf();
    for (const member of [append('A-1'), both('B-1', 'A-1'), append('B-1'), append('A-1')]) {
      void queue.append(member);
    }
    await turn();
    expect(batches.streams).toEqual([['A-1', 'B-1+A-1', 'A-1', 'B-1']]);
  });

  it('waits while one of them is in a batch under way, and is not overtaken', async () => {
    const queue = queueOf({ maxConcurrentBatches: 3 });
    void queue.append(append('A-1'));
    await turn();
    for (const member of [both('B-1', 'A-1'), append('B-1'), append('C-1')]) void queue.append(member);
    await turn();
    expect(batches.streams).toEqual([['A-1'], ['C-1']]);
    await batches.end(0);
    expect(batches.streams[2]).toEqual(['B-1+A-1', 'B-1']);
  });

  it('leaves all of them when it is aborted', async () => {
    const queue = queueOf();
    const controller = new AbortController();
    const rejected = expect(queue.append(both('A-1', 'B-1'), controller.signal)).rejects.toBe('enough');
    void queue.append(append('B-1'));
    void queue.append(append('A-1'));
    controller.abort('enough');
    await turn();
    await rejected;
    expect(batches.streams).toEqual([['A-1', 'B-1']]);
    await batches.end(0);
    await queue.close();
  });
});

describe('an append whose signal aborts', () => {
  it('is not sent, and gets the reason', async () => {
    const queue = queueOf();
    const controller = new AbortController();
    const rejected = expect(queue.append(append('A-1'), controller.signal)).rejects.toBe('enough');
    void queue.append(append('A-1'));
    void queue.append(append('A-2'), new AbortController().signal);
    controller.abort('enough');
    await turn();
    await rejected;
    expect(batches.streams).toEqual([['A-1', 'A-2']]);
  });

  it('makes room for another', async () => {
    const queue = queueOf({ maxAppends: 1 });
    await expect(queue.append(append(), AbortSignal.abort('enough'))).rejects.toBe('enough');
    void queue.append(append());
    await turn();
    expect(batches.streams).toEqual([['A-1']]);
  });

  it('is answered by its batch when that was sent already', async () => {
    const queue = queueOf();
    const controller = new AbortController();
    const answer = queue.append(append(), controller.signal);
    await turn();
    controller.abort('enough');
    await batches.end(0);
    expect(await answer).toBe(appended);
  });
});

describe('a queue', () => {
  it('takes no more appends than it may', async () => {
    const queue = queueOf({ maxAppends: 2 });
    void queue.append(append());
    void queue.append(append());
    await expect(queue.append(append())).rejects.toMatchObject({ code: 'STORE_OVERLOADED' });
    // Those of a batch that is under way don't wait.
    await turn();
    void queue.append(append());
    void queue.append(append());
    await expect(queue.append(append())).rejects.toMatchObject({ code: 'STORE_OVERLOADED' });
  });

  it('takes no more bytes than it may, two for each character', async () => {
    const queue = queueOf({ maxBytes: 1_000 });
    const nearlyAll = append('A-1', { characters: 490 });
    const more = append('A-2', { characters: 20 });
    void queue.append(nearlyAll);
    await expect(queue.append(more)).rejects.toMatchObject({ code: 'STORE_OVERLOADED' });
    void queue.append(append('A-2', { characters: 10 }));
    await turn();
    void queue.append(more);
    await batches.end(0);
    expect(batches.streams).toEqual([['A-1', 'A-2'], ['A-2']]);
  });

  it('takes one that is larger than all that it may, alone', async () => {
    const queue = queueOf({ maxBytes: 1_000 });
    void queue.append(append('A-1', { characters: 5_000 }));
    await expect(queue.append(append('A-2'))).rejects.toMatchObject({ code: 'STORE_OVERLOADED' });
    await turn();
    expect(batches.streams).toEqual([['A-1']]);
  });

  it('that is closed takes no more, and waits for what it has', async () => {
    const queue = queueOf();
    const answers = [queue.append(append('A-1', { events: 101 })), queue.append(append('A-2'))];
    let closed = 0;
    for (let time = 0; time < 2; time++) void queue.close().then(() => closed++);
    await expect(queue.append(append())).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await turn();
    expect(batches.streams).toEqual([['A-1']]);
    await batches.end(0);
    expect([batches.streams[1], closed]).toEqual([['A-2'], 0]);
    await batches.end(1);
    expect(await Promise.all(answers)).toEqual([appended, appended]);
    expect(closed).toBe(2);
  });

  it('that is closed while its last batch is under way waits for that', async () => {
    const queue = queueOf();
    const answer = queue.append(append());
    await turn();
    let isClosed = false;
    const closing = queue.close().then(() => (isClosed = true));
    await turn();
    expect(isClosed).toBe(false);
    await batches.end(0);
    await Promise.all([answer, closing]);
  });

  it('without appends is closed at once', async () => {
    await queueOf().close();
  });
});

describe('a stream that somebody else has locked', () => {
  const fulfilled: MemberOutcome = { status: 'fulfilled', value: appended };
  const locked: MemberOutcome = { status: 'locked', isRepeated: false };

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    return () => vi.useRealTimers();
  });

  /** Begins with a batch in which the stream L-1 is locked, which is tried again by itself. */
  async function begin(queue: AppendQueue) {
    const answers = ['L-1', 'A-1', 'L-1'].map((streamId) => queue.append(append(streamId)));
    for (const answer of answers) answer.catch(() => undefined);
    await turn();
    await batches.end(0, [locked, fulfilled, locked]);
    return answers;
  }

  it('is out of the batches, and tried alone until it is free, in the order of its appends', async () => {
    const queue = queueOf({ maxConcurrentBatches: 2 });
    const [first, other, second] = await begin(queue);
    expect(await other).toBe(appended);
    void queue.append(append('A-2'));
    void queue.append(append('L-1'));
    await turn();
    expect(batches.streams.slice(1)).toEqual([['L-1'], ['A-2']]);

    await batches.end(1, [locked]);
    await batches.end(2);
    // Not at once.
    expect(batches.sent).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(1_000);
    await turn();
    await batches.end(3);
    expect(await first).toBe(appended);
    await vi.advanceTimersByTimeAsync(0);
    await turn();
    // As any other from then on.
    expect(batches.streams.slice(3)).toEqual([['L-1'], ['L-1', 'L-1']]);
    expect(batches.sent[3]![0]).toBe(batches.sent[1]![0]);
    await batches.end(4);
    expect(await second).toBe(appended);
  });

  it('stays out of the batches when an append of it has waited too long', async () => {
    const queue = queueOf();
    const [first] = await begin(queue);
    await batches.end(1, [{ status: 'rejected', reason: 'too long', isLocked: true }]);
    await expect(first).rejects.toBe('too long');
    void queue.append(append('A-2'));
    await turn();
    expect(batches.streams.slice(2)).toEqual([['A-2']]);
  });

  it('takes turns with others that are', async () => {
    const queue = queueOf();
    for (const streamId of ['L-1', 'L-2']) void queue.append(append(streamId));
    await turn();
    await batches.end(0, [locked, locked]);
    for (let round = 1; round < 5; round++) {
      await batches.end(round, [locked]);
      await vi.advanceTimersByTimeAsync(1_000);
      await turn();
    }
    expect(batches.streams.slice(1, 5)).toEqual([['L-1'], ['L-2'], ['L-1'], ['L-2']]);
  });

  it('leaves out an append that is aborted, but not one whose reply was lost', async () => {
    const queue = queueOf();
    const controller = new AbortController();
    const answers = ['L-1', 'L-2'].map((streamId) => queue.append(append(streamId), controller.signal));
    for (const answer of answers) answer.catch(() => undefined);
    await turn();
    controller.abort('enough');
    await batches.end(0, [locked, { status: 'locked', isRepeated: true }]);
    await expect(answers[0]).rejects.toBe('enough');
    expect(batches.streams.slice(1)).toEqual([['L-2']]);
    expect(batches.orders[1]).toMatchObject({ isRepeated: true });
    await batches.end(1);
    expect(await answers[1]).toBe(appended);
  });

  it('is waited for when the queue closes', async () => {
    const queue = queueOf();
    const answers = await begin(queue);
    let isClosed = false;
    const closing = queue.close().then(() => (isClosed = true));
    await batches.end(1);
    await vi.advanceTimersByTimeAsync(0);
    await turn();
    expect(isClosed).toBe(false);
    await batches.end(2);
    await Promise.all([closing, ...answers]);
  });
});

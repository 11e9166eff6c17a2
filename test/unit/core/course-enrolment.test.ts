import { createDecisionHandler, iterateAll, type EventStore } from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { beforeEach, describe, expect, it } from 'vitest';
import { capacity, enrol, mostCourses, type Enrolled } from '../fixtures/courses.js';

let store: MemoryEventStore;

beforeEach(() => {
  store = new MemoryEventStore();
});

async function offer(course: string, seats: number): Promise<void> {
  await store.appendToStream(`Course-${course}`, [capacity(course, seats)]);
}

async function enrolments(): Promise<readonly Enrolled['data'][]> {
  const all: Enrolled['data'][] = [];
  for await (const { data } of iterateAll(store, { filter: { types: ['Enrolled'] } })) {
    all.push(data as Enrolled['data']);
  }
  return all;
}

/** What each call ended with. */
async function outcomes(calls: readonly Promise<unknown>[]): Promise<readonly unknown[]> {
  const rejection = (error: unknown): unknown => (error as { reason?: unknown }).reason ?? error;
  return Promise.all(calls.map((call) => call.then(() => 'enrolled', rejection)));
}

/** A store of its own around the same events: its decisions take no turns with those of others. */
function another(inner: EventStore): EventStore {
  return {
    appendToStream: (...args) => inner.appendToStream(...args),
    readStream: (...args) => inner.readStream(...args),
    readAll: (...args) => inner.readAll(...args),
    findCommit: (...args) => inner.findCommit(...args),
  };
}

describe('course enrolment', () => {
  it('fills a course to its last seat, and no further', async () => {
    await offer('c1', 2);
    const { execute } = createDecisionHandler(store, enrol);
    await execute({ course: 'c1', student: 'ann' });
    await execute({ course: 'c1', student: 'bob' });
    await expect(execute({ course: 'c1', student: 'eve' })).rejects.toMatchObject({ reason: 'COURSE_FULL' });

    await store.appendToStream('Course-c1', [capacity('c1', 3)]);
    await execute({ course: 'c1', student: 'eve' });
    expect(await enrolments()).toHaveLength(3);
  });

  it('gives a student five courses, and no more', async () => {
    const { execute } = createDecisionHandler(store, enrol);
    const courses = Array.from({ length: mostCourses + 1 }, (_, index) => `c${index}`);
    for (const course of courses) await offer(course, 10);
    const all = await outcomes(courses.map((course) => execute({ course, student: 'ann' })));
    expect(all.filter((each) => each === 'TOO_MANY_COURSES')).toHaveLength(1);
    expect(await enrolments()).toHaveLength(mostCourses);
  });

  it('changes nothing for a student who is enrolled', async () => {
    await offer('c1', 1);
    const { execute } = createDecisionHandler(store, enrol);
    await execute({ course: 'c1', student: 'ann' });
    expect(await execute({ course: 'c1', student: 'ann' })).toEqual({
      events: [],
      parts: [],
      position: 2,
      deduplicated: false,
    });
  });

  it.each([
    ['of one process, which take turns', () => store, 1],
    ['of many processes', () => another(store), 200],
  ])('gives 10 seats to 10 of 50 students at once, by handlers %s', async (_of, storeOf, maxAttempts) => {
    await offer('c1', 10);
    const all = await outcomes(
      Array.from({ length: 50 }, (_, index) =>
        createDecisionHandler(storeOf(), enrol).execute(
          { course: 'c1', student: `s${index}` },
          { maxAttempts },
        ),
      ),
    );
    expect(all.filter((each) => each === 'enrolled')).toHaveLength(10);
    expect(all.filter((each) => each === 'COURSE_FULL')).toHaveLength(40);
    expect(await enrolments()).toHaveLength(10);
  });
});

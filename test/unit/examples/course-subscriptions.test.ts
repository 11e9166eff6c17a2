import { createDecisionHandler } from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { given } from 'temporal-event-store/testing';
import { describe, expect, it } from 'vitest';
import {
  changeCourseCapacity,
  defineCourse,
  subscribeStudentToCourse,
} from '../../../examples/reservations/courses/course-decisions.js';
import type { StudentSubscribedToCourse } from '../../../examples/reservations/courses/course-event.js';

// The names are those of https://dcb.events/examples/course-subscriptions, whose cases these are; those that it lacks come last.
function defined(courseId: string, capacity: number) {
  return {
    type: 'CourseDefined' as const,
    data: { courseId, capacity },
    tags: [`course:${courseId}`],
    streamId: `Course-${courseId}`,
  };
}
function changed(courseId: string, newCapacity: number) {
  return {
    type: 'CourseCapacityChanged' as const,
    data: { courseId, newCapacity },
    tags: [`course:${courseId}`],
    streamId: `Course-${courseId}`,
  };
}
function subscribed(studentId: string, courseId: string) {
  return {
    type: 'StudentSubscribedToCourse' as const,
    data: { studentId, courseId },
    tags: [`student:${studentId}`, `course:${courseId}`],
    streamId: `Student-${studentId}`,
  };
}

describe('Register courses', () => {
  it('Define course with existing id', async () => {
    await given(defineCourse, [defined('c1', 10)])
      .when({ courseId: 'c1', capacity: 15 })
      .then(/^Course with id "c1" already exists$/);
  });
  it('Define course with new id', async () => {
    await given(defineCourse, [])
      .when({ courseId: 'c1', capacity: 15 })
      .then([defined('c1', 15)]);
  });
  it.each([0, -1, 1.5])('Define course with capacity %j', async (capacity) => {
    await given(defineCourse, []).when({ courseId: 'c1', capacity }).then({ reason: 'INVALID_CAPACITY' });
  });
});

describe('Change course capacity', () => {
  it('Change capacity of a non-existing course', async () => {
    await given(changeCourseCapacity, [])
      .when({ courseId: 'c0', newCapacity: 15 })
      .then(/^Course "c0" does not exist$/);
  });
  it('Change capacity of a course to a new value', async () => {
    await given(changeCourseCapacity, [defined('c1', 12)])
      .when({ courseId: 'c1', newCapacity: 15 })
      .then([changed('c1', 15)]);
  });
  it('Change capacity of a course to the current value', async () => {
    await given(changeCourseCapacity, [defined('c1', 12), changed('c1', 15)])
      .when({ courseId: 'c1', newCapacity: 15 })
      .then(/^New capacity 15 is the same as the current capacity$/);
  });
  it('Change capacity of a course to no capacity', async () => {
    await given(changeCourseCapacity, [defined('c1', 12)])
      .when({ courseId: 'c1', newCapacity: 0 })
      .then({ reason: 'INVALID_CAPACITY' });
  });
});

describe('Subscribe student to course', () => {
  it('Subscribe student to non-existing course', async () => {
    await given(subscribeStudentToCourse, [])
      .when({ studentId: 's1', courseId: 'c0' })
      .then(/^Course "c0" does not exist$/);
  });
  it('Subscribe student to fully booked course', async () => {
    const past = [defined('c1', 3), subscribed('s1', 'c1'), subscribed('s2', 'c1'), subscribed('s3', 'c1')];
    await given(subscribeStudentToCourse, past)
      .when({ studentId: 's4', courseId: 'c1' })
      .then(/^Course "c1" is already fully booked$/);
  });
  it('Subscribe student to the same course twice', async () => {
    await given(subscribeStudentToCourse, [defined('c1', 10), subscribed('s1', 'c1')])
      .when({ studentId: 's1', courseId: 'c1' })
      .then(/^Student already subscribed to this course$/);
  });
  it('Subscribe student to more than 5 courses', async () => {
    const five = ['c1', 'c2', 'c3', 'c4', 'c5'].map((course) => subscribed('s1', course));
    await given(subscribeStudentToCourse, [defined('c6', 10), ...five])
      .when({ studentId: 's1', courseId: 'c6' })
      .then(/^Student already subscribed to 5 courses$/);
  });
  it('Subscribe student to course with capacity', async () => {
    await given(subscribeStudentToCourse, [defined('c1', 10)])
      .when({ studentId: 's1', courseId: 'c1' })
      .then([subscribed('s1', 'c1')]);
  });
  it('Subscribe student to course with capacity, among others', async () => {
    const past = [defined('c1', 1), subscribed('s2', 'c1'), subscribed('s1', 'c2'), changed('c1', 2)];
    await given(subscribeStudentToCourse, past)
      .when({ studentId: 's1', courseId: 'c1' })
      .then([subscribed('s1', 'c1')]);
  });
});

it('no course has too many students and no student too many courses, whatever comes at once', async () => {
  const store = new MemoryEventStore();
  const courses = Array.from({ length: 8 }, (_, index) => `c${index}`);
  const students = Array.from({ length: 8 }, (_, index) => `s${index}`);
  const define = createDecisionHandler(store, defineCourse);
  for (const courseId of courses) await define.execute({ courseId, capacity: 4 });
  const { execute } = createDecisionHandler(store, subscribeStudentToCourse);
  await Promise.allSettled(
    students.flatMap((studentId) => courses.map((courseId) => execute({ studentId, courseId }))),
  );
  const filter = { types: ['StudentSubscribedToCourse'] };
  const { events } = await store.readAll<StudentSubscribedToCourse>({ filter });
  const most = (key: 'courseId' | 'studentId', ids: readonly string[]): number =>
    Math.max(...ids.map((id) => events.filter(({ data }) => data[key] === id).length));
  expect([most('courseId', courses), most('studentId', students)]).toEqual([4, 5]);
});

import { defineDecision, DomainError, streamId } from 'temporal-event-store';
import type { CourseCapacityChanged, CourseDefined, CourseEvent } from './course-event.js';

export interface DefineCourse {
  readonly courseId: string;
  readonly capacity: number;
}

export interface ChangeCourseCapacity {
  readonly courseId: string;
  readonly newCapacity: number;
}

export interface SubscribeStudentToCourse {
  readonly studentId: string;
  readonly courseId: string;
}

const mostCourses = 5;

/** undefined: there is no such course. */
type Capacity = number | undefined;

/** Both depend on one course, whose events are in one stream: a decider would do, too. */
export const defineCourse = defineDecision({
  name: 'define-course',
  home: ({ courseId }: DefineCourse) => streamId('Course', courseId),
  filter: ({ courseId }) => ({ types: ['CourseDefined'], tags: [`course:${courseId}`] }),
  initialState: (): Capacity => undefined,
  evolve: (_, event: CourseDefined) => event.data.capacity,
  decide(current, { courseId, capacity }) {
    if (current !== undefined) {
      throw new DomainError(`Course with id "${courseId}" already exists`, { reason: 'COURSE_EXISTS' });
    }
    assertCapacity(capacity);
    return [{ type: 'CourseDefined', data: { courseId, capacity }, tags: [`course:${courseId}`] }];
  },
});

export const changeCourseCapacity = defineDecision({
  name: 'change-course-capacity',
  home: ({ courseId }: ChangeCourseCapacity) => streamId('Course', courseId),
  filter: ({ courseId }) => ({
    types: ['CourseDefined', 'CourseCapacityChanged'],
    tags: [`course:${courseId}`],
  }),
  initialState: (): Capacity => undefined,
  evolve: (_, event: CourseDefined | CourseCapacityChanged) => capacityOf(event),
  decide(current, { courseId, newCapacity }) {
    if (current === undefined) throw noCourse(courseId);
    if (current === newCapacity) {
      throw new DomainError(`New capacity ${newCapacity} is the same as the current capacity`, {
        reason: 'SAME_CAPACITY',
      });
    }
    assertCapacity(newCapacity);
    return [{ type: 'CourseCapacityChanged', data: { courseId, newCapacity }, tags: [`course:${courseId}`] }];
  },
});

/** Depends on the course, with all its students, and on the student, with all their courses. */
export const subscribeStudentToCourse = defineDecision({
  name: 'subscribe-student-to-course',
  home: ({ studentId }: SubscribeStudentToCourse) => streamId('Student', studentId),
  filter: ({ studentId, courseId }) => [
    {
      types: ['CourseDefined', 'CourseCapacityChanged', 'StudentSubscribedToCourse'],
      tags: [`course:${courseId}`],
    },
    { types: ['StudentSubscribedToCourse'], tags: [`student:${studentId}`] },
  ],
  initialState: () => ({
    capacity: undefined as Capacity,
    students: 0,
    courses: 0,
    isSubscribed: false,
  }),
  evolve(state, event: CourseEvent, command) {
    if (event.type !== 'StudentSubscribedToCourse') return { ...state, capacity: capacityOf(event) };
    const isOfCourse = event.data.courseId === command.courseId;
    const isOfStudent = event.data.studentId === command.studentId;
    return {
      ...state,
      students: state.students + (isOfCourse ? 1 : 0),
      courses: state.courses + (isOfStudent ? 1 : 0),
      isSubscribed: state.isSubscribed || (isOfCourse && isOfStudent),
    };
  },
  decide({ capacity, students, courses, isSubscribed }, { studentId, courseId }) {
    if (capacity === undefined) throw noCourse(courseId);
    if (students >= capacity) {
      throw new DomainError(`Course "${courseId}" is already fully booked`, { reason: 'COURSE_FULL' });
    }
    if (isSubscribed) {
      throw new DomainError('Student already subscribed to this course', { reason: 'ALREADY_SUBSCRIBED' });
    }
    if (courses >= mostCourses) {
      throw new DomainError(`Student already subscribed to ${mostCourses} courses`, {
        reason: 'TOO_MANY_COURSES',
      });
    }
    const tags = [`student:${studentId}`, `course:${courseId}`];
    return [{ type: 'StudentSubscribedToCourse', data: { studentId, courseId }, tags }];
  },
});

function capacityOf(event: CourseDefined | CourseCapacityChanged): number {
  return event.type === 'CourseDefined' ? event.data.capacity : event.data.newCapacity;
}

function noCourse(courseId: string): DomainError {
  return new DomainError(`Course "${courseId}" does not exist`, { reason: 'NO_COURSE' });
}

function assertCapacity(capacity: number): void {
  if (Number.isInteger(capacity) && capacity > 0) return;
  throw new DomainError(`A capacity is a positive integer, not ${capacity}`, { reason: 'INVALID_CAPACITY' });
}

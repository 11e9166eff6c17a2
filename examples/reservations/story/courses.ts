import { createDecisionHandler } from 'temporal-event-store';
import { changeCourseCapacity, defineCourse, subscribeStudentToCourse } from '../courses/course-decisions.js';
import { outcomeOf, tally } from './outcome.js';
import type { Stage } from './stage.js';

/** The course subscriptions of dcb.events. */
export async function courses({ store, named, title, say }: Stage): Promise<void> {
  const define = createDecisionHandler(store, defineCourse);
  const change = createDecisionHandler(store, changeCourseCapacity);
  const subscription = createDecisionHandler(store, subscribeStudentToCourse);
  const courseId = named('c1');
  const subscribe = (student: string, course = courseId): Promise<string> =>
    outcomeOf(subscription.execute({ studentId: named(student), courseId: course }), 'subscribed');

  title('A course has so many students, a student so many courses: both in one decision');
  await define.execute({ courseId, capacity: 10 });
  const students = Array.from({ length: 30 }, (_, index) => `s${index}`);
  const outcomes = await Promise.all(students.map((student) => subscribe(student)));
  say(`  30 students subscribe to a course of 10 at once → ${tally(outcomes)}`);
  await change.execute({ courseId, newCapacity: 11 });
  say(`  its capacity is now 11: the last one → ${await subscribe('s29')}`);

  const others = Array.from({ length: 8 }, (_, index) => named(`other-${index}`));
  await Promise.all(others.map((id) => define.execute({ courseId: id, capacity: 5 })));
  const busy = await Promise.all(others.map((id) => subscribe('eager', id)));
  say(`  one student subscribes to 8 courses at once → ${tally(busy)}`);
}

import {
  defineDecision,
  DomainError,
  streamId,
  type DomainCommand,
  type DomainEvent,
} from 'temporal-event-store';
import { z } from 'zod';

export type EnrolmentEvent =
  DomainEvent<'Opened', { readonly seats: number }> | DomainEvent<'Enrolled', { readonly student: string }>;

export interface Enrolment {
  readonly course: string;
  readonly student: string;
}

type Enrol =
  | DomainCommand<'enrol', Enrolment>
  | DomainCommand<'enrolSlowly', Enrolment>
  | DomainCommand<'fail', Enrolment>;

const enrolment = z.object({ course: z.string().toLowerCase(), student: z.string() });

export const ofCourse = (course: string): readonly string[] => [`course:${course}`];

/** A course has no more students than seats. A decision with a command for each way in which one can end. */
export const enrol = defineDecision({
  name: 'enrol',
  commands: { enrol: enrolment, enrolSlowly: enrolment, fail: true },
  home: ({ data }: Enrol) => streamId('Enrolment', `${data.course}-${data.student}`),
  filter: ({ data }) => ({ types: ['Opened', 'Enrolled'], tags: [`course:${data.course}`] }),
  initialState: () => ({ seats: 0, students: [] as readonly string[] }),
  evolve: (state, event: EnrolmentEvent) =>
    event.type === 'Opened'
      ? { ...state, seats: event.data.seats }
      : { ...state, students: [...state.students, event.data.student] },
  async decide({ seats, students }, { type, data: { course, student } }) {
    if (type === 'fail') (undefined as unknown as { method(): void }).method();
    if (type === 'enrolSlowly') await new Promise(setImmediate);
    if (students.includes(student)) return [];
    if (students.length >= seats) throw new DomainError('The course is full', { reason: 'COURSE_FULL' });
    return [{ type: 'Enrolled', data: { student }, tags: ofCourse(course) }];
  },
});

/** What opens a course. */
export function opened(course: string, seats: number) {
  return { type: 'Opened', data: { seats }, tags: ofCourse(course) } as const;
}

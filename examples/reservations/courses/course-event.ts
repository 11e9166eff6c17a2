import type { DomainEvent } from 'temporal-event-store';

export type CourseDefined = DomainEvent<
  'CourseDefined',
  { readonly courseId: string; readonly capacity: number }
>;
export type CourseCapacityChanged = DomainEvent<
  'CourseCapacityChanged',
  { readonly courseId: string; readonly newCapacity: number }
>;
export type StudentSubscribedToCourse = DomainEvent<
  'StudentSubscribedToCourse',
  { readonly studentId: string; readonly courseId: string }
>;
export type CourseEvent = CourseDefined | CourseCapacityChanged | StudentSubscribedToCourse;

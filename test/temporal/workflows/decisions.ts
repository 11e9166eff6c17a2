import { isEventStoreError, type CommandReceipt } from 'temporal-event-store';
import { proxyAggregateClient } from 'temporal-event-store/workflow';
import { enrol } from '../../support/enrolment.js';

export * from 'temporal-event-store/workflows';

const enrolments = proxyAggregateClient(enrol, {
  startToCloseTimeout: '2 seconds',
  retry: { initialInterval: '10 milliseconds' },
});

/** Enrols a student twice, and says what came of it. */
export async function enrolTwice(course: string, student: string): Promise<readonly CommandReceipt[]> {
  return [
    await enrolments.execute('enrol', { course, student }),
    await enrolments.execute('enrolSlowly', { course, student }, { metadata: { actor: 'workflow' } }),
  ];
}

/** Says why a student is not enrolled. */
export async function enrolOr(course: string, student: string): Promise<string> {
  try {
    await enrolments.execute('enrol', { course, student });
    return 'enrolled';
  } catch (error) {
    if (isEventStoreError(error, 'DOMAIN_ERROR')) return error.message;
    throw error;
  }
}

/** Sends a command whose home stream can't be told, which fails the workflow and not its task. */
export async function enrolNobody(): Promise<void> {
  await proxyAggregateClient({ ...enrol, commands: { enrol: true } }).execute('enrol', undefined as never);
}

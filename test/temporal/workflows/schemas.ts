import { findEventStoreError } from 'temporal-event-store';
import { proxyRepository } from 'temporal-event-store/workflow';
import { exclaimed, Group, trimmed } from '../../support/group.js';

export * from 'temporal-event-store/workflows';

const repositories = {
  trimmed: proxyRepository(Group, { events: trimmed }),
  exclaimed: proxyRepository(Group, { events: exclaimed }),
  unknown: proxyRepository(Group),
};

/** Saves one aggregate after each of the emails; says what it looks like then, or what was refused. */
export async function joinAll(
  id: string,
  events: keyof typeof repositories,
  emails: readonly string[],
): Promise<readonly string[]> {
  const groups = repositories[events];
  const group = await groups.load(id);
  try {
    for (const email of emails) {
      group.join(email);
      await groups.save(group);
    }
    return group.emails;
  } catch (error) {
    return [String(findEventStoreError(error)?.code)];
  }
}

// All of it, so that nothing can be dropped as unused.
import * as workflow from 'temporal-event-store/workflow';

export async function nothing() {
  return Object.keys(workflow);
}

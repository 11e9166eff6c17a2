import * as core from 'temporal-event-store';
import * as memory from 'temporal-event-store/memory';
import * as testing from 'temporal-event-store/testing';
import * as workflow from 'temporal-event-store/workflow';

export * from 'temporal-event-store/workflows';

export async function everything() {
  return Object.keys({ ...core, ...memory, ...testing, ...workflow });
}

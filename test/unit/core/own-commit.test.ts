import { describe, expect, it } from 'vitest';
import { isOwnCommit, isSameCommit } from '../../../src/core/store/append/commit.js';
import { prepareEvents } from '../../../src/core/store/append/prepare-events.js';

const commit = (metadata: Readonly<Record<string, string>>) =>
  prepareEvents([{ type: 'Opened', data: { owner: 'ann' } }], metadata, 2_000_000, 'events');

describe('a stored commit with the id of an append whose reply was lost', () => {
  it('is the append itself only when it came from the same place', () => {
    const mine = commit({ workflowId: 'a' });
    const theirs = commit({ workflowId: 'b' });
    expect(isSameCommit(theirs, mine)).toBe(true);
    expect(isOwnCommit(theirs, mine)).toBe(false);
    expect(isOwnCommit(commit({ workflowId: 'a' }), mine)).toBe(true);
  });
});

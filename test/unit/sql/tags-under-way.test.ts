import { describe, expect, it } from 'vitest';
import type { MemberTags } from '../../../src/sql/append/append-member.js';
import { TagsUnderWay } from '../../../src/sql/append/tags-under-way.js';

const tags = (shared: string, exclusive = ''): MemberTags => ({
  shared: new Set(shared),
  exclusive: new Set(exclusive),
  isOfAll: false,
});

describe('the tags of a batch', () => {
  it.each<[what: string, underWay: MemberTags, next: MemberTags, isTaken: boolean]>([
    ['shared by both', tags('a'), tags('a'), true],
    ['exclusive in the batch under way', tags('', 'a'), tags('a'), false],
    ['exclusive in the next', tags('a'), tags('', 'a'), false],
    ['exclusive in both', tags('', 'a'), tags('', 'a'), false],
    ['of others', tags('a', 'b'), tags('c', 'd'), true],
    ['none', tags('a', 'b'), tags(''), true],
  ])('are taken beside another batch or not, where a tag is %s', (_what, underWay, next, isTaken) => {
    const all = new TagsUnderWay();
    all.add(underWay);
    expect(all.plan().take(next)).toBe(isTaken);
    all.remove(underWay);
    expect(all.plan().take(next)).toBe(true);
  });

  it('stay with one who waits: those behind it may not pass', () => {
    const all = new TagsUnderWay();
    all.add(tags('a'));
    const plan = all.plan();
    expect(plan.take(tags('a', 'a'))).toBe(false);
    // Alone, it would share the tag with the batch under way, and so keep the other waiting for ever.
    expect(plan.take(tags('a'))).toBe(false);
    expect(plan.take(tags('b'))).toBe(true);
  });

  it('may be exclusive for several of the same batch', () => {
    const plan = new TagsUnderWay().plan();
    expect([plan.take(tags('a', 'a')), plan.take(tags('a', 'a')), plan.take(tags('a'))]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('tell whether another append would have to wait for it', () => {
    const plan = new TagsUnderWay().plan();
    plan.take(tags('a', 'b'));
    const others = [tags('a'), tags('', 'a'), tags('b'), tags('', 'b'), tags('c', 'c')];
    expect(others.map((other) => plan.wouldWait(other))).toEqual([false, true, true, true, false]);
  });

  it('are counted once', () => {
    const plan = new TagsUnderWay().plan();
    plan.take(tags('ab', 'c'));
    expect(plan.countWith(tags('bcd', 'd'))).toBe(4);
  });
});

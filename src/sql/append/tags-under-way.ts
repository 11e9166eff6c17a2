import type { MemberTags } from './append-member.js';

/**
 * The tags of the batches under way. A batch that has to wait for the tags of another holds up all its members, so an
 * append whose tags are taken waits for a later batch.
 */
export class TagsUnderWay {
  readonly #shared = new Map<string, number>();
  readonly #exclusive = new Map<string, number>();

  add(tags: MemberTags): void {
    for (const tag of tags.shared) count(this.#shared, tag, 1);
    for (const tag of tags.exclusive) count(this.#exclusive, tag, 1);
  }

  remove(tags: MemberTags): void {
    for (const tag of tags.shared) count(this.#shared, tag, -1);
    for (const tag of tags.exclusive) count(this.#exclusive, tag, -1);
  }

  /** Begins to plan a batch. */
  plan(): TagPlan {
    return new TagPlan(this.#shared, this.#exclusive);
  }
}

/** The tags of a batch that is being put together. */
class TagPlan {
  readonly #sharedUnderWay: ReadonlyMap<string, number>;
  readonly #exclusiveUnderWay: ReadonlyMap<string, number>;
  readonly #own = new Set<string>();
  readonly #ownExclusive = new Set<string>();
  /** Wanted by an append that waits: who comes after it mustn't take them, or it would wait for ever. */
  readonly #wanted = new Set<string>();

  constructor(shared: ReadonlyMap<string, number>, exclusive: ReadonlyMap<string, number>) {
    this.#sharedUnderWay = shared;
    this.#exclusiveUnderWay = exclusive;
  }

  /** How many tags the batch would have with these. */
  countWith({ shared, exclusive }: MemberTags): number {
    let count = this.#own.size;
    for (const tag of shared) if (!this.#own.has(tag)) count++;
    for (const tag of exclusive) if (!this.#own.has(tag) && !shared.has(tag)) count++;
    return count;
  }

  /** Whether an append with these tags would have to wait for this batch, if it weren't in it. */
  wouldWait({ shared, exclusive }: MemberTags): boolean {
    for (const tag of exclusive) if (this.#own.has(tag)) return true;
    for (const tag of shared) if (this.#ownExclusive.has(tag)) return true;
    return false;
  }

  /** Takes the tags, unless a batch under way or an append that waits has them. */
  take({ shared, exclusive }: MemberTags): boolean {
    if (shared.size + exclusive.size === 0) return true;
    if (this.#areTaken(shared, exclusive)) {
      for (const tag of exclusive) this.#wanted.add(tag);
      return false;
    }
    for (const tag of shared) this.#own.add(tag);
    for (const tag of exclusive) {
      this.#own.add(tag);
      this.#ownExclusive.add(tag);
    }
    return true;
  }

  #areTaken(shared: ReadonlySet<string>, exclusive: ReadonlySet<string>): boolean {
    for (const tag of shared) {
      if (this.#exclusiveUnderWay.has(tag) || this.#wanted.has(tag)) return true;
    }
    for (const tag of exclusive) {
      if (this.#exclusiveUnderWay.has(tag) || this.#sharedUnderWay.has(tag) || this.#wanted.has(tag)) {
        return true;
      }
    }
    return false;
  }
}

function count(tags: Map<string, number>, tag: string, step: 1 | -1): void {
  const counted = (tags.get(tag) ?? 0) + step;
  if (counted === 0) tags.delete(tag);
  else tags.set(tag, counted);
}

import type { CheckedCondition } from '../../core/store/append/append-condition.js';
import type { PreparedEvent } from '../../core/store/append/prepare-events.js';
import type { ExpectedVersion } from '../../core/store/event-store.js';

/** What is appended as a whole or not at all. */
export interface AppendMember {
  /** One for each stream. If there are several, each has one commit, all with the same id. */
  readonly parts: readonly AppendPart[];
  readonly condition: CheckedCondition | undefined;
  /** The locks of tags that the member needs. */
  readonly tags: MemberTags;
}

/** What is appended to one stream: one commit, or a chain of several. */
export interface AppendPart {
  readonly streamId: string;
  readonly expectedVersion: ExpectedVersion;
  readonly commits: readonly PreparedCommit[];
}

export interface PreparedCommit {
  readonly commitId: string;
  /** False if the id was made for this append: then only an attempt without a reply can have stored the commit. */
  readonly mayBeStored: boolean;
  readonly eventIds: readonly string[];
  readonly events: readonly PreparedEvent[];
}

export interface MemberTags {
  /** Those of its events. Appends share them. */
  readonly shared: ReadonlySet<string>;
  /** One of each filter of its condition. */
  readonly exclusive: ReadonlySet<string>;
  /** Whether a filter has no tag: the member then takes turns with all appends. */
  readonly isOfAll: boolean;
}

/** Most tags that are locked one by one in a batch: the server's table of locks is small. `lock_tags` repeats it. */
export const maxTagLocks = 128;

const untagged: MemberTags = { shared: new Set(), exclusive: new Set(), isOfAll: false };

export function toMember(parts: readonly AppendPart[], condition?: CheckedCondition): AppendMember {
  const isTagged = parts.some(({ commits }) =>
    commits.some(({ events }) => events.some(({ tags }) => tags.length > 0)),
  );
  // Most appends have neither, and pay nothing for tags.
  const tags = isTagged || condition !== undefined ? tagsOf(parts, condition?.filter ?? []) : untagged;
  return { parts, condition, tags };
}

function tagsOf(parts: readonly AppendPart[], filters: CheckedCondition['filter']): MemberTags {
  const events = parts.flatMap(({ commits }) => commits.flatMap((commit) => commit.events));
  const firsts = filters.map(({ tags }) => tags?.[0]);
  return {
    shared: new Set(events.flatMap(({ tags }) => tags)),
    exclusive: new Set(firsts.filter((tag) => tag !== undefined)),
    isOfAll: firsts.includes(undefined),
  };
}

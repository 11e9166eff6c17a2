import { CommitExistsError, CommitMismatchError } from '../../errors/append-errors.js';
import { InvalidArgumentError } from '../../errors/invalid-argument-error.js';
import { eventIdOf } from '../../events/event-id.js';
import type { EventMetadata } from '../../events/event.js';
import { validatedElsewhere, assertOptions, isName, isPlainObject } from '../../options/options.js';
import { sameJson } from '../../values/json.js';
import type { Commit } from './commit-chain.js';
import { streamsKey } from './multi-append.js';
import { prepareEvents, type PreparedEvent } from './prepare-events.js';

/**
 * Checks the commits of `appendCommits`, each as {@link prepareEvents} does.
 *
 * @throws InvalidArgumentError when there are none, or two have the same id · InvalidEventError · EventTooLargeError
 */
export function checkCommits(
  commits: readonly Commit[],
  maxBytes: number,
): readonly { readonly commitId: string; readonly events: readonly PreparedEvent[] }[] {
  if (!Array.isArray(commits) || commits.length === 0) {
    throw new InvalidArgumentError('appendCommits needs a list of at least one commit.');
  }
  const ids = new Set<string>();
  // From: map would step over a hole.
  return Array.from(commits as readonly Commit[], (commit, index) => {
    assertOptions(
      'a commit',
      commit,
      { commitId: isName, events: validatedElsewhere, metadata: isPlainObject },
      ['commitId'],
    );
    const { commitId, events, metadata } = commit;
    if (ids.has(commitId)) {
      throw new InvalidArgumentError(`Two of the commits have the id '${commitId}'.`);
    }
    ids.add(commitId);
    return {
      commitId,
      events: prepareEvents(events, metadata, maxBytes, `commits[${index}].events`),
    };
  });
}

export function commitMismatch(streamId: string, commitId: string): CommitMismatchError {
  return new CommitMismatchError(
    `The commit '${commitId}' of stream '${streamId}' holds other events, or was appended to other streams. Give each append a commit id of its own.`,
    { streamId, commitId },
  );
}

export function commitExists(streamId: string, commitIds: readonly string[]): CommitExistsError {
  return new CommitExistsError(
    `Stream '${streamId}' holds ${commitIds.length} of the commits already; nothing was appended. Leave them out.`,
    { streamId, commitIds },
  );
}

/** The ids of the events of a commit. */
export function eventIdsOf(
  namespace: string,
  streamId: string,
  commitId: string,
  count: number,
): readonly string[] {
  const ids: string[] = [];
  for (let ordinal = 0; ordinal < count; ordinal++) {
    ids.push(eventIdOf(namespace, streamId, commitId, ordinal));
  }
  return ids;
}

/**
 * Whether an append repeats a stored commit: all but the metadata is the same, and `occurredAt` where it is given. Of the
 * metadata, the streams of the commit must be the same.
 */
export function isSameCommit(stored: readonly PreparedEvent[], repeated: readonly PreparedEvent[]): boolean {
  return (
    stored.length === repeated.length &&
    stored.every((event, index) => {
      const other = repeated[index] as PreparedEvent;
      return (
        event.type === other.type &&
        event.schemaVersion === other.schemaVersion &&
        (other.occurredAt === undefined || event.occurredAt === other.occurredAt) &&
        event.tags.length === other.tags.length &&
        event.tags.every((tag, place) => tag === other.tags[place]) &&
        sameJson(event.data, other.data) &&
        sameStreams(event, other)
      );
    })
  );
}

function sameStreams(...events: readonly [PreparedEvent, PreparedEvent]): boolean {
  const [stored, repeated] = events.map(({ metadata }) => {
    const { [streamsKey]: streams = null } = JSON.parse(metadata) as EventMetadata;
    return JSON.stringify(streams);
  });
  return stored === repeated;
}

/** Whether a stored commit can be the append itself, whose reply was lost: its metadata must be the same, too. */
export function isOwnCommit(stored: readonly PreparedEvent[], sent: readonly PreparedEvent[]): boolean {
  return (
    isSameCommit(stored, sent) &&
    stored.every(({ metadata }, index) => sameJson(metadata, (sent[index] as PreparedEvent).metadata))
  );
}

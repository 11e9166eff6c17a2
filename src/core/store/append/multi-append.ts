import { InvalidArgumentError } from '../../errors/invalid-argument-error.js';
import type { EventMetadata } from '../../events/event.js';
import { assertOptions, isName, isPlainObject, isSignal, validatedElsewhere } from '../../options/options.js';
import type { AppendResult, ExpectedVersion } from '../event-store.js';
import { checkCondition, type CheckedCondition } from './append-condition.js';
import { isExpectedVersion } from './append-options.js';
import type { MultiAppendOptions, MultiAppendResult, StreamAppend } from './multi-stream-appends.js';
import {
  assertCommitSize,
  assertJson,
  defaultMaxCommitBytes,
  invalidEvent,
  prepareEvents,
  type PreparedEvent,
} from './prepare-events.js';

/** The key of the metadata under which a commit of several streams lists them. */
export const streamsKey = 'commitStreams';

/** The checked part of a commit that goes to one stream. */
export interface PreparedAppend {
  readonly streamId: string;
  readonly expectedVersion: ExpectedVersion;
  readonly events: readonly PreparedEvent[];
}

export interface CheckedMultiAppend {
  readonly appends: readonly PreparedAppend[];
  readonly condition: CheckedCondition | undefined;
}

/**
 * Checks the arguments of `appendToStreams`, and prepares the events.
 *
 * @throws InvalidArgumentError · InvalidEventError · EventTooLargeError · the signal's reason when it is aborted
 */
export function checkMultiAppend(
  appends: readonly StreamAppend[],
  options: MultiAppendOptions = {},
  maxBytes = defaultMaxCommitBytes,
): CheckedMultiAppend {
  const call = 'appendToStreams';
  assertOptions(call, options, {
    commitId: isName,
    condition: validatedElsewhere,
    metadata: isPlainObject,
    signal: isSignal,
  });
  options.signal?.throwIfAborted();
  if (!Array.isArray(appends) || appends.length === 0) {
    throw new InvalidArgumentError(`${call} needs a list of at least one append.`);
  }
  // From: map would step over a hole.
  const checked = Array.from(appends as readonly StreamAppend[], checkPart);
  const ids = checked.map(({ streamId }) => streamId);
  const twice = ids.find((id, index) => ids.indexOf(id) < index);
  if (twice !== undefined) {
    throw new InvalidArgumentError(
      `${call} has the stream '${twice}' twice. Put all events of a stream into one append.`,
    );
  }
  const condition = checkCondition(options.condition);
  const metadata = withStreams(options.metadata, ids);
  const prepared = checked.map(({ streamId, expectedVersion = 'any', events }, index) => {
    const place = `appends[${index}].events`;
    const all = prepareEvents(events, metadata, maxBytes, place);
    for (const [ordinal, event] of ids.length > 1 ? events.entries() : []) {
      assertListed(event.metadata, ids, `${place}[${ordinal}].metadata`);
    }
    return { streamId, expectedVersion, events: all };
  });
  assertCommitSize(
    prepared.flatMap(({ events }) => events),
    maxBytes,
  );
  return { appends: prepared, condition };
}

function checkPart(append: StreamAppend): StreamAppend {
  assertOptions(
    'an append of appendToStreams',
    append,
    { streamId: isName, events: validatedElsewhere, expectedVersion: isExpectedVersion },
    ['streamId'],
  );
  return append;
}

/** The metadata of a commit, with its streams where there are several. */
function withStreams(
  metadata: EventMetadata | undefined,
  streams: readonly string[],
): EventMetadata | undefined {
  if (streams.length === 1) return metadata;
  if (metadata !== undefined) {
    // Before it is copied: a copy has lost what JSON would.
    assertJson(metadata, 'metadata');
    assertListed(metadata, streams, 'metadata');
  }
  return { ...metadata, [streamsKey]: [...streams] };
}

/** The key is the library's: a repeat of the commit is recognised by its streams. */
function assertListed(metadata: EventMetadata | undefined, streams: readonly string[], place: string): void {
  const listed = metadata?.[streamsKey];
  if (listed === undefined || JSON.stringify(listed) === JSON.stringify(streams)) return;
  throw invalidEvent(
    `${place}.${streamsKey}`,
    'names other streams than those of the commit; leave it out, and appendToStreams sets it',
  );
}

/** The result of a commit, by those of its parts. */
export function multiResult(parts: readonly AppendResult[]): MultiAppendResult {
  const [{ commitId, deduplicated }] = parts as readonly [AppendResult];
  return { commitId, deduplicated, parts };
}

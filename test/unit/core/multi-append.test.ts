import type { EventMetadata, StreamAppend } from 'temporal-event-store';
import { describe, expect, it } from 'vitest';
import { checkMultiAppend } from '../../../src/core/store/append/multi-append.js';
import { deposited } from '../fixtures/account.js';

const part = (streamId: string): StreamAppend => ({ streamId, events: [deposited(1)] });
const two = [part('Account-1'), part('Account-2')];

function metadataOf(appends: readonly StreamAppend[], metadata?: EventMetadata): readonly unknown[] {
  const checked = checkMultiAppend(appends, metadata && { metadata });
  return checked.appends.flatMap(({ events }) =>
    events.map((event) => JSON.parse(event.metadata) as unknown),
  );
}

describe('an append to streams', () => {
  it('expects nothing of a stream unless it says so', () => {
    const [one, other] = checkMultiAppend([two[0]!, { ...two[1]!, expectedVersion: 3 }]).appends;
    expect([one?.expectedVersion, other?.expectedVersion]).toEqual(['any', 3]);
  });

  it('lists its streams in the metadata when there are several', () => {
    const commitStreams = ['Account-1', 'Account-2'];
    expect(metadataOf(two)).toEqual([{ commitStreams }, { commitStreams }]);
    expect(metadataOf(two, { actor: 'ann', commitStreams })).toEqual([
      { actor: 'ann', commitStreams },
      { actor: 'ann', commitStreams },
    ]);
    expect(metadataOf(two.slice(0, 1), { actor: 'ann' })).toEqual([{ actor: 'ann' }]);
  });

  it('leaves the metadata of its caller as it was', () => {
    const metadata = Object.freeze({ actor: 'ann' });
    metadataOf(two, metadata);
    expect(metadata).toEqual({ actor: 'ann' });
  });

  it.each<[what: string, metadata: unknown, path: string]>([
    ['a Map', new Map([['actor', 'ann']]), 'metadata'],
    ['a Date within', { at: new Date(0) }, 'metadata.at'],
    ['a numeric correlation id', { correlationId: 7 }, 'appends[0].events[0].metadata.correlationId'],
    [
      'a list of streams that is another',
      { commitStreams: ['Account-2', 'Account-1'] },
      'metadata.commitStreams',
    ],
  ])('refuses metadata that is %s', (_what, metadata, path) => {
    const act = (): unknown => checkMultiAppend(two, { metadata: metadata as EventMetadata });
    expect(act).toThrow(expect.objectContaining({ code: 'INVALID_EVENT', path }));
  });

  it.each<[what: string, appends: unknown, message: string]>([
    ['no list', { streamId: 'Account-1' }, 'appendToStreams needs a list of at least one append.'],
    ['an empty list', [], 'appendToStreams needs a list of at least one append.'],
    [
      'a stream twice',
      [...two, part('Account-1')],
      `appendToStreams has the stream 'Account-1' twice. Put all events of a stream into one append.`,
    ],
    ['no events', [part('A-1'), { streamId: 'A-2', events: [] }], 'appends[1].events is empty'],
    [
      'no list of events',
      [part('A-1'), { streamId: 'A-2' }],
      'appends[1].events must be an array, not undefined.',
    ],
    ['no stream', [{ events: [] }], `The option 'streamId' of an append of appendToStreams must be a string`],
    ['nothing in place of an append', [undefined], `The option 'streamId' of an append of appendToStreams`],
    [
      'null in place of an append',
      [null],
      'The options of an append of appendToStreams must be an object, not null.',
    ],
    [
      'an expected version that is none',
      [{ ...part('A-1'), expectedVersion: -1 }],
      `The option 'expectedVersion' of an append of appendToStreams must be a version from 0`,
    ],
    [
      'an unknown option',
      [{ ...part('A-1'), commitId: 'c' }],
      `an append of appendToStreams has no option 'commitId'`,
    ],
  ])('says what is wrong with it: %s', (_what, appends, message) => {
    const act = (): unknown => checkMultiAppend(appends as StreamAppend[]);
    expect(act).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(act).toThrow(message);
  });

  it('counts the events of all streams as one commit, as large as the limit', () => {
    const large = (size: number): StreamAppend[] =>
      ['A-1', 'A-2'].map((streamId) => ({ streamId, events: [{ type: 'T', data: 'x'.repeat(size) }] }));
    const tooLarge = (): unknown => checkMultiAppend(large(400), {}, 900);
    expect(tooLarge).toThrow(expect.objectContaining({ code: 'EVENT_TOO_LARGE', limit: 900 }));
    expect(checkMultiAppend(large(400), {}, 1_100).appends).toHaveLength(2);
  });
});

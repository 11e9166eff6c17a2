import type { RecordedEvent } from '../../core/events/event.js';
import { iterateAll, iterateStream } from '../../core/store/read/iterate.js';
import { eventBytes } from '../../core/store/read/page-bytes.js';
import { errorOf, event, events, type StoreUnderTest, type Suite } from './suite.js';

interface Read {
  readonly maxBytes?: number;
  readonly limit?: number;
  readonly direction?: 'forward' | 'backward';
}

type Slices = readonly { readonly events: readonly RecordedEvent[]; readonly isEnd: boolean }[];

/** A text of so many bytes as JSON. */
const textOf = (bytes: number): { readonly text: string } => ({
  text: 'x'.repeat(bytes - '{"text":""}'.length),
});

/** Small and large in turns, with what else counts: three bytes a character, metadata, tags. */
const sample = [
  event('Small'),
  event('Large', textOf(3_000)),
  event('Small'),
  event('Small'),
  event('Large', { text: '€'.repeat(1_000) }),
  { ...event('Large'), metadata: textOf(3_000) },
  { ...event('Large'), tags: Array.from({ length: 100 }, (_, index) => `${index}-${'x'.repeat(27)}`) },
  event('Small'),
];

const ways = [
  [
    'readStream',
    async (store: StoreUnderTest, category: string, read: Read): Promise<Slices> => {
      const [stream, step] = [`${category}-1`, read.direction === 'backward' ? -1 : 1];
      const slices = [await store.readStream(stream, read)];
      for (let last = slices[0]; last?.isEnd === false && slices.length <= sample.length;) {
        const version = last.events.at(-1)?.version ?? NaN;
        slices.push((last = await store.readStream(stream, { ...read, fromVersion: version + step })));
      }
      return slices;
    },
  ],
  [
    'readAll',
    async (store: StoreUnderTest, category: string, read: Read): Promise<Slices> => {
      const options = { ...read, filter: { categories: [category] } };
      const slices = [await store.readAll(options)];
      for (let last = slices[0]; last?.isEnd === false && slices.length <= sample.length;) {
        slices.push((last = await store.readAll({ ...options, after: last.position })));
      }
      return slices;
    },
  ],
] as const;

export function describePageBytes({ describe, it, expect }: Suite): void {
  describe('the bytes of a page', () => {
    for (const [method, readPages] of ways) {
      for (const direction of ['forward', 'backward'] as const) {
        it(`bound what ${method} gives ${direction}, and nothing is lost`, async (store, category) => {
          await store.appendToStream(`${category}-1`, sample);
          const [maxBytes, versions] = [3_500, sample.map((_, index) => index + 1)];

          const slices = await readPages(store, category, { maxBytes, direction });

          const seen = slices.flatMap((slice) => slice.events.map(({ version }) => version));
          expect(seen).toEqual(direction === 'forward' ? versions : versions.reverse());
          expect(slices.map(({ isEnd }) => isEnd)).toEqual(
            slices.map((_, index) => index + 1 === slices.length),
          );
          for (const { events } of slices) {
            const bytes = events.reduce((sum, each) => sum + eventBytes(each), 0);
            if (bytes > maxBytes) expect(events.map(({ type }) => type)).toEqual(['Large']);
          }
        });
      }

      it(`leave ${method} one event, whatever its size`, async (store, category) => {
        await store.appendToStream(`${category}-1`, sample);
        const slices = await readPages(store, category, { maxBytes: 1 });
        expect(slices.map(({ events }) => events.length)).toEqual(sample.map(() => 1));
      });

      it(`don't shorten a page of ${method} that is smaller`, async (store, category) => {
        await store.appendToStream(`${category}-1`, events(20));
        const [slice] = await readPages(store, category, { maxBytes: 20_000 });
        expect(slice?.events.length).toBe(20);
        expect(slice?.isEnd).toBe(true);
      });

      it(`and the limit both bound what ${method} gives`, async (store, category) => {
        await store.appendToStream(`${category}-1`, sample);
        const slices = await readPages(store, category, { maxBytes: 100_000, limit: 3 });
        expect(slices.map(({ events }) => events.length)).toEqual([3, 3, 2]);
      });

      for (const maxBytes of [0, -1, 1.5, '5']) {
        it(`must be a number from 1 for ${method}, not ${JSON.stringify(maxBytes)}`, async (store, category) => {
          const read = readPages(store, category, { maxBytes } as never);
          expect(await errorOf(read)).toMatchObject({ code: 'INVALID_ARGUMENT' });
        });
      }
    }

    it('bound the pages of iterators', async (store, category) => {
      await store.appendToStream(`${category}-1`, sample);
      const [ofStream, ofAll]: [number[], number[]] = [[], []];
      for await (const { version } of iterateStream(store, `${category}-1`, { maxBytes: 100 })) {
        ofStream.push(version);
      }
      const filter = { categories: [category] };
      for await (const { version } of iterateAll(store, { maxBytes: 100, filter })) ofAll.push(version);
      expect([ofStream, ofAll]).toEqual([ofStream, ofStream]);
      expect(ofStream.length).toBe(sample.length);
    });
  });
}

import { describe, expect, it } from 'vitest';
import { AggregateRoot, createCommandHandler, type DomainEvent } from '../../../src/core/index.js';
import { MemoryEventStore } from '../../../src/memory/index.js';

type Ordered = DomainEvent<'Ordered', { readonly lines: string[]; readonly note?: string | undefined }>;

class Order extends AggregateRoot<Ordered> {
  static readonly category = 'Order';
  lines: string[] = [];
  seen: unknown;
  order(data: Ordered['data']): void {
    this.raise({ type: 'Ordered', data, tags: ['new'], metadata: { actor: 'Ann' } });
  }
  protected apply({ data }: Ordered): void {
    this.seen = data;
    if (this.lines.length === 0) this.lines = data.lines;
    else this.lines.push(...data.lines);
  }
}

describe('an event is what it was when it was raised', () => {
  it('whatever apply does with what it gets', () => {
    const order = new Order('1');
    order.order({ lines: ['a'] });
    order.order({ lines: ['b'] });
    expect(order.lines).toEqual(['a', 'b']);
    expect(order.uncommittedEvents.map(({ data }) => data)).toEqual([{ lines: ['a'] }, { lines: ['b'] }]);
    expect(Order.fromEvents('1', order.uncommittedEvents as Ordered[]).lines).toEqual(order.lines);
  });

  it('whatever the caller does with it later', () => {
    const order = new Order('1');
    const data = { lines: ['a'] };
    order.order(data);
    data.lines.push('later');
    expect(order.uncommittedEvents).toEqual([
      { type: 'Ordered', data: { lines: ['a'] }, tags: ['new'], metadata: { actor: 'Ann' } },
    ]);
    expect(order.lines).toEqual(['a']);
  });

  it('as it will be read: without what is undefined', () => {
    const order = new Order('1');
    order.order({ lines: [], note: undefined });
    expect(order.seen).toStrictEqual({ lines: [] });
  });

  it('and what JSON can not hold is left for the store to refuse', async () => {
    const order = new Order('1');
    order.order({ lines: [new Date(0) as never] });
    await expect(
      new MemoryEventStore().appendToStream('Order-1', order.uncommittedEvents),
    ).rejects.toMatchObject({ code: 'INVALID_EVENT' });
  });
});

describe('user code of the wrong form is an error that says so', () => {
  class Late extends AggregateRoot<DomainEvent<'Done', object>> {
    static readonly category = 'Late';
    done(): void {
      this.raise({ type: 'Done', data: {} });
    }
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the mistake that this is about
    protected async apply(): Promise<void> {
      throw new Error('too late to be heard');
    }
  }
  const refused = {
    code: 'INVALID_ARGUMENT',
    message: expect.stringMatching(/^'(apply|evolve)' of the event 'Done' returned a promise/) as string,
  };

  it('an asynchronous apply, when an event is raised and when it is replayed', () => {
    expect(() => {
      new Late('1').done();
    }).toThrow(expect.objectContaining(refused));
    expect(() => Late.fromEvents('1', [{ type: 'Done', data: {} }])).toThrow(
      expect.objectContaining(refused),
    );
  });

  const decider = {
    category: 'Late',
    initialState: () => ({}),
    evolve: (state: object) => state,
    decide: (): readonly DomainEvent[] => [],
  };

  it('an asynchronous evolve', async () => {
    const store = new MemoryEventStore();
    await store.appendToStream('Late-1', [{ type: 'Done', data: {} }]);
    const handler = createCommandHandler(store, { ...decider, evolve: async (state: object) => state });
    await expect(handler.execute('1', {})).rejects.toMatchObject(refused);
  });

  it.each([undefined, null, {}, 'Done', { type: 'Done', data: {} }])(
    'decide that returns %j',
    async (decided) => {
      const handler = createCommandHandler(new MemoryEventStore(), {
        ...decider,
        decide: () => decided as never,
      });
      await expect(handler.execute('1', {})).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining("'decide' returned") as string,
      });
    },
  );
});

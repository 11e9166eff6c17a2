import type { RecordedEvent } from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { describe, expect, it } from 'vitest';
import type { PaymentEvent } from '../../../examples/payment/domain/payment-event.js';
import { EventBus } from '../../../examples/payment/events/event-bus.js';
import { jsonLogger } from '../../../examples/payment/events/json-logger.js';

const reason = 'as the customer wished';

async function recorded(...events: PaymentEvent[]): Promise<readonly RecordedEvent[]> {
  const store = new MemoryEventStore();
  await store.appendToStream('Payment-1', events);
  return (await store.readStream('Payment-1')).events;
}

describe('EventBus', () => {
  it('brings each handler the events of its type, in order, and those of any type the rest', async () => {
    const bus = new EventBus<PaymentEvent>();
    const failed: string[] = [];
    const all: string[] = [];
    bus.on('PaymentFailed', ({ data }) => void failed.push(data.reason));
    bus.onAny(({ type }) => void all.push(type));
    await bus.publish(
      await recorded(
        { type: 'PaymentCompleted', data: {} },
        { type: 'PaymentFailed', data: { reason: 'a' } },
        { type: 'PaymentFailed', data: { reason: 'b' } },
      ),
    );
    expect(failed).toEqual(['a', 'b']);
    expect(all).toEqual(['PaymentCompleted', 'PaymentFailed', 'PaymentFailed']);
  });

  it('brings a handler that failed the event again, in order, and the others not', async () => {
    const bus = new EventBus<PaymentEvent>();
    const good: string[] = [];
    const bad: string[] = [];
    let calls = 0;
    bus.onAny(({ type }) => void good.push(type));
    bus.onAny(({ type }) => {
      if (++calls === 1) throw new Error('Not now');
      bad.push(type);
    });
    const events = await recorded(
      { type: 'PaymentFailed', data: { reason } },
      { type: 'PaymentDeleted', data: { reason } },
    );
    await expect(bus.publish(events)).rejects.toThrow(/Not now/);
    expect(bad).toEqual([]);
    await bus.publish(events);
    expect(bad).toEqual(['PaymentFailed', 'PaymentDeleted']);
    expect(good).toEqual(['PaymentFailed', 'PaymentDeleted']);
  });

  it('brings nothing more to a handler that has left', async () => {
    const bus = new EventBus<PaymentEvent>();
    const got: string[] = [];
    const leave = bus.onAny(({ type }) => void got.push(type));
    leave();
    await bus.publish(await recorded({ type: 'PaymentCompleted', data: {} }));
    expect(got).toEqual([]);
  });

  it.each([0, -1, 0.5])('refuses to remember %d events', (remembered) => {
    expect(() => new EventBus({ remembered })).toThrow(/positive integer/);
  });
});

describe('jsonLogger', () => {
  it('writes an object a line, with what is known of an error', () => {
    const lines: string[] = [];
    const error = Object.assign(new Error('Broken'), { code: 'E7' });
    jsonLogger((line) => void lines.push(line)).warn('Append failed', { streamId: 'Payment-1', error });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        level: 'warn',
        message: 'Append failed',
        streamId: 'Payment-1',
        error: { name: 'Error', message: 'Broken', code: 'E7' },
      },
    ]);
  });
});

import { toCloudEvent } from 'temporal-event-store';
import { MemoryEventStore } from 'temporal-event-store/memory';
import { fixedClock } from 'temporal-event-store/testing';
import { expect, it } from 'vitest';

async function recorded(streamId: string, metadata = {}) {
  const store = new MemoryEventStore({ clock: fixedClock('2024-02-01T00:00:00Z') });
  await store.appendToStream(streamId, [{ type: 'Opened', data: {} }]);
  const event = {
    type: 'Captured',
    data: { amount: 5 },
    schemaVersion: 3,
    tags: ['eu'],
    metadata,
    occurredAt: '2024-01-01T00:00:00Z',
  };
  await store.appendToStream(streamId, [event], { commitId: 'c' });
  return (await store.readStream(streamId)).events[1]!;
}

it('is what a CloudEvent 1.0 must be', async () => {
  const event = await recorded('Payment-1');
  expect(toCloudEvent(event)).toEqual({
    specversion: '1.0',
    id: event.id,
    source: '/Payment',
    type: 'Captured',
    subject: 'Payment-1',
    time: '2024-01-01T00:00:00.000Z',
    datacontenttype: 'application/json',
    data: { amount: 5 },
    sequence: '2',
    schemaversion: 3,
  });
});

it('carries the ids of correlation and causation, and no other metadata', async () => {
  const metadata = { correlationId: 'order-1', causationId: 'command-1', actor: 'ann' };
  const event = toCloudEvent(await recorded('Payment-1', metadata));
  expect(event).toMatchObject({ correlationid: 'order-1', causationid: 'command-1' });
  expect(Object.keys(event).every((name) => /^[a-z\d]+$/.test(name))).toBe(true);
  expect(event).not.toHaveProperty('actor');
});

it('takes its source from the option', async () => {
  const event = toCloudEvent(await recorded('Payment-1'), { source: 'https://example.com/payments' });
  expect(event.source).toBe('https://example.com/payments');
});

it.each([
  ['Zahlung ü-1', '/Zahlung%20%C3%BC'],
  ['a/b?c-1', '/a%2Fb%3Fc'],
  ['Payment', '/Payment'],
])('makes a URI reference of the category of %s', async (streamId, source) => {
  expect(toCloudEvent(await recorded(streamId)).source).toBe(source);
});

import { defineEvents, InvalidArgumentError } from 'temporal-event-store';
import { expect, it } from 'vitest';
import { z } from 'zod';

const same = (data: unknown): unknown => data;

it('keeps the definitions', () => {
  const definitions = { Opened: {}, Paid: { schemaVersion: 2, schema: z.object({}), upcast: { 1: same } } };
  expect(defineEvents(definitions).definitions).toBe(definitions);
});

it.each([
  ['an upcaster that is missing', { Paid: { schemaVersion: 2 } }, /'Paid' .*schemaVersion 2 .*from 1/],
  ['a gap between upcasters', { Paid: { schemaVersion: 4, upcast: { 1: same, 3: same } } }, /from 2/],
  ['an upcaster that is no function', { Paid: { schemaVersion: 2, upcast: { 1: 'same' } } }, /from 1/],
  ['an upcaster from the present version', { Paid: { upcast: { 1: same } } }, /upcaster from 1/],
  ['an upcaster from a version that there never was', { Paid: { upcast: { 0: same } } }, /upcaster from 0/],
  ['an upcaster from no version', { Paid: { upcast: { one: same } } }, /upcaster from one/],
  ['a schema version of 0', { Paid: { schemaVersion: 0 } }, /schemaVersion/],
  ['something else than a schema', { Paid: { schema: { parse: same } } }, /'schema' .*Standard Schema/],
  ['an unknown setting', { Paid: { version: 2 } }, /no option 'version'/],
  ['an empty type', { '': {} }, /type "" is empty/],
  ['a definition that is null', { Paid: null }, /definition of 'Paid'/],
])('refuses %s', (_what, definitions, message) => {
  const define = (): unknown => defineEvents(definitions as never);
  expect(define).toThrow(InvalidArgumentError);
  expect(define).toThrow(message);
});

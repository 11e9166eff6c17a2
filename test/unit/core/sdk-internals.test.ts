import { describe, expect, it, onTestFinished } from 'vitest';
import { sayVersioningBehavior, toPayloadOfWorkflow } from '../../../src/core/errors/sdk-internals.js';

function inWorkflow(activator: object): void {
  Object.defineProperty(globalThis, '__TEMPORAL_ACTIVATOR__', { value: activator, configurable: true });
  onTestFinished(() => void Reflect.deleteProperty(globalThis, '__TEMPORAL_ACTIVATOR__'));
}

describe('the private parts of the SDK', () => {
  it('are used in a workflow', () => {
    const payload = { data: new Uint8Array() };
    const activator = { payloadConverter: { toPayload: () => payload }, versioningBehavior: 'PINNED' };
    inWorkflow(activator);
    expect(toPayloadOfWorkflow({})).toBe(payload);
    sayVersioningBehavior(() => 'AUTO_UPGRADE');
    activator.versioningBehavior = 'PINNED';
    expect(activator.versioningBehavior).toBe('AUTO_UPGRADE');
  });

  it.each([
    ['outside a workflow', undefined],
    ['where the SDK has no converter there', {}],
    ['where its converter is another one', { payloadConverter: {} }],
  ])('may be missing: %s', (_where, activator) => {
    if (activator !== undefined) inWorkflow(activator);
    expect(toPayloadOfWorkflow({})).toBeUndefined();
    expect(() => {
      sayVersioningBehavior(() => 'AUTO_UPGRADE');
    }).not.toThrow();
  });
});

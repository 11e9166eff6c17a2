/*
 * All that leans on private parts of Temporal's TypeScript SDK, so that one file is to be looked at when it changes. It is in the
 * core because errors cross Temporal wherever they are thrown, and the core has no dependency.
 */

/** By these on a prototype, the SDK knows that an error is an `ApplicationFailure`. Without them it makes one of its own, untyped. */
export const applicationFailureMarks = [
  Symbol.for('__temporal_isTemporalFailure'),
  Symbol.for('__temporal_isApplicationFailure'),
] as const;

/** The SDK's own record of the workflow that runs in this sandbox. */
interface Activator {
  readonly payloadConverter?: { toPayload?(value: unknown): object };
}

/** Undefined outside a workflow, and in an SDK that keeps it elsewhere. */
function activator(): Activator | undefined {
  return (globalThis as { readonly __TEMPORAL_ACTIVATOR__?: Activator }).__TEMPORAL_ACTIVATOR__;
}

/**
 * Converts a value as the workflow that runs here would.
 *
 * @returns undefined outside a workflow, or where its converter can't be found: take `json/plain` then, which every SDK reads
 */
export function toPayloadOfWorkflow(value: unknown): object | undefined {
  const converter = activator()?.payloadConverter;
  return converter?.toPayload?.(value);
}

/**
 * Says the versioning behaviour of the workflow that runs here anew with each task. The SDK asks once in a run and keeps the answer, and
 * has no public way to change it. Where it can't be found, what it asked once stays, and the tests of worker versioning fail.
 */
export function sayVersioningBehavior(current: () => string | undefined): void {
  const owner = activator();
  if (owner === undefined) return;
  Object.defineProperty(owner, 'versioningBehavior', {
    get: current,
    // What it was told once.
    set: () => undefined,
    configurable: true,
  });
}

import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { assertRegistry, EventRegistry, type EventDefinition } from './event-registry.js';

/** The definitions of several registries, as those of one. */
export type MergedDefinitions<R extends readonly EventRegistry[]> = R extends readonly [
  infer First extends EventRegistry,
  ...infer Rest extends readonly EventRegistry[],
]
  ? First['definitions'] & MergedDefinitions<Rest>
  : R extends readonly []
    ? unknown
    : Record<string, EventDefinition>;

/**
 * Puts registries together, for example those of an application's modules, for a store that holds the events of all of
 * them.
 *
 * @throws {@link InvalidArgumentError} when two of them define the same type differently
 * @example
 * const store = withEvents(postgres, mergeEvents(paymentEvents, orderEvents));
 */
export function mergeEvents<const R extends readonly EventRegistry[]>(
  ...registries: R
): EventRegistry<MergedDefinitions<R> & Record<never, never>> {
  const merged = new Map<string, EventDefinition>();
  for (const registry of registries) {
    assertRegistry('mergeEvents', registry);
    for (const [type, definition] of Object.entries(registry.definitions)) {
      const other = merged.get(type);
      // The same one may come by two ways.
      if (other !== undefined && other !== definition) {
        throw new InvalidArgumentError(
          `Two of the registries define '${type}'. An event type is defined once: give one of them another name, or share the definition.`,
        );
      }
      merged.set(type, definition);
    }
  }
  return new EventRegistry(Object.fromEntries(merged) as MergedDefinitions<R> & Record<never, never>);
}

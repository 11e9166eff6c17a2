import { describeClass, formatPathSegment, hasPlainPrototype, isObject } from './json.js';

/** Where two values differ. */
export interface Difference {
  /** Such as `.lines[2].price`; empty for the root. */
  readonly path: string;
  /** What stands there, such as `a Date` or `undefined`, to be read in a message. */
  readonly left: string;
  /** What stands there in the other value; `another string` where it is of the same kind. */
  readonly right: string;
}

/** Two values at the same place of what is compared. */
interface Pair {
  readonly left: unknown;
  readonly right: unknown;
  readonly segment: string;
  readonly parent: Pair | undefined;
}

/**
 * Finds the first place where two values differ, in all that can be seen of them: fields and elements, the content of a `Map`,
 * `Set` or `Date`, and the class of each object. A field that is `undefined` counts as an absent one, as in JSON; `-0` is not
 * `0`. What can't be seen into (`#private` fields, functions) is taken for the same. Walks with its own stack.
 */
export function findDifference(left: unknown, right: unknown): Difference | undefined {
  const pairs: Pair[] = [{ left, right, segment: '', parent: undefined }];
  /** What each object on the left is compared with; so that cycles end. */
  const seen = new Map<object, Set<unknown>>();
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const { left: a, right: b } = pair;
    if (Object.is(a, b) || (typeof a === 'function' && typeof b === 'function')) continue;
    if (!isObject(a) || !isObject(b) || classOf(a) !== classOf(b)) return differenceAt(pair);
    const compared = seen.get(a);
    if (compared?.has(b)) continue;
    if (compared === undefined) seen.set(a, new Set([b]));
    else compared.add(b);
    const parts = partsOf(a, b);
    if (parts === undefined) return differenceAt(pair);
    // The first one is looked at first.
    for (const part of parts.reverse()) pairs.push({ ...part, parent: pair });
  }
  return undefined;
}

/** What is in two objects of one class, side by side; undefined when they differ themselves. */
function partsOf(a: object, b: object): Omit<Pair, 'parent'>[] | undefined {
  if (a instanceof Date) return Object.is(a.getTime(), (b as Date).getTime()) ? [] : undefined;
  if (Array.isArray(a) && a.length !== (b as unknown[]).length) return undefined;
  const fields = [...new Set([...fieldsOf(a), ...fieldsOf(b)])].map((key) => ({
    left: (a as Record<PropertyKey, unknown>)[key],
    right: (b as Record<PropertyKey, unknown>)[key],
    segment: formatPathSegment(Array.isArray(a) && typeof key === 'string' ? Number(key) : key),
  }));
  if (!(a instanceof Map || a instanceof Set)) return fields;
  const others: readonly unknown[] = [...(b as Map<unknown, unknown> | Set<unknown>)];
  if (a.size !== others.length) return undefined;
  return [
    ...fields,
    ...Array.from(a, (entry: unknown, index) => ({
      left: entry,
      right: others[index],
      segment: `[${index}]`,
    })),
  ];
}

function fieldsOf(value: object): PropertyKey[] {
  return Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
}

/** Plain objects and lists are of one class wherever they were made. */
function classOf(value: object): unknown {
  const isArray = Array.isArray(value);
  if (!hasPlainPrototype(value, isArray)) return Object.getPrototypeOf(value);
  return isArray ? Array.prototype : Object.prototype;
}

function differenceAt(pair: Pair): Difference {
  let path = '';
  for (let place: Pair | undefined = pair; place !== undefined; place = place.parent) {
    path = place.segment + path;
  }
  const [left, right] = [kindOf(pair.left), kindOf(pair.right)];
  return { path, left, right: left === right ? right.replace(/^an? /, 'another ') : right };
}

/** What kind of value it is: the message goes into logs, and the value may be none of their business. */
function kindOf(value: unknown): string {
  if (Object.is(value, -0)) return '-0';
  if (value === null || value === undefined || typeof value === 'boolean' || Number.isNaN(value)) {
    return String(value);
  }
  if (!isObject(value)) return `a ${typeof value}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Map || value instanceof Set) return `a ${value.constructor.name} of ${value.size}`;
  return classOf(value) === Object.prototype ? 'an object' : describeClass(value);
}

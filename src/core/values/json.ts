/** What JSON can hold. Data and metadata of events, states of aggregates and details of errors are of this type. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue | undefined };

/** A value that JSON would change or drop, and where it stands below the value that was checked. */
export interface JsonFault {
  /** Such as `.lines[2].price`; empty for the root. */
  readonly path: string;
  /** What is wrong with it, to be read after the path: `is NaN, which JSON turns into null`. */
  readonly problem: string;
}

/** Nesting that is still accepted. `JSON.stringify` itself overflows the stack somewhere near 10,000. */
export const maxJsonDepth = 1000;

interface Frame {
  readonly container: object;
  /** The keys of an object; an array is walked by index. */
  readonly keys: readonly string[] | undefined;
  readonly length: number;
  next: number;
}

/**
 * Finds the first value that would not come back from JSON as it went in. An `undefined` property counts as an
 * absent one, and `-0` as `0`. Walks with its own stack, so that deep input can't overflow ours.
 */
export function findJsonFault(root: unknown): JsonFault | undefined {
  const frames: Frame[] = [];
  const ancestors = new Set<object>();
  let problem = enter(root, frames, ancestors);
  while (problem === undefined) {
    const frame = frames.at(-1);
    if (frame === undefined) return undefined;
    if (frame.next >= frame.length) {
      ancestors.delete(frame.container);
      frames.pop();
      continue;
    }
    const index = frame.next++;
    if (frame.keys === undefined) {
      const element = (frame.container as readonly unknown[])[index];
      problem =
        element === undefined
          ? `is ${index in frame.container ? 'undefined' : 'a hole'} in an array, which JSON turns into null`
          : enter(element, frames, ancestors);
    } else {
      const key = frame.keys[index] as string;
      const value = (frame.container as Record<string, unknown>)[key];
      problem = key.isWellFormed()
        ? value === undefined
          ? undefined
          : enter(value, frames, ancestors)
        : 'has a key with a lone surrogate, which is not valid Unicode';
    }
  }
  return { path: frames.map(pathSegment).join(''), problem };
}

/** Writes a path segment as JavaScript would: `.name`, `[3]` or `["odd name"]`. */
export function formatPathSegment(key: PropertyKey): string {
  if (typeof key === 'number') return `[${key}]`;
  const name = String(key);
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

/** Whether two JSON texts hold the same value; the order of keys doesn't matter. */
export function sameJson(left: string, right: string): boolean {
  return left === right || canonicalJson(JSON.parse(left)) === canonicalJson(JSON.parse(right));
}

/** JSON with sorted keys: equal for equal values. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    isObject(part) && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** Bytes that JavaScript keeps each character of a text in, as soon as one of them is beyond Latin-1. */
export const bytesPerCharacter = 2;

/** Length in UTF-8 bytes. (The workflow sandbox has no `Buffer`, and to encode takes longer.) */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // A surrogate pair is 2 units and 4 bytes, so each half counts 2.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Checks one value; a container that passes is pushed, to be walked next. */
function enter(value: unknown, frames: Frame[], ancestors: Set<object>): string | undefined {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? undefined : 'has a lone surrogate, which is not valid Unicode';
    case 'number':
      return Number.isFinite(value) ? undefined : `is ${value}, which JSON turns into null`;
    case 'boolean':
      return undefined;
    case 'undefined':
      return 'is undefined, which JSON drops; use null';
    case 'object':
      return value === null ? undefined : enterContainer(value, frames, ancestors);
    default:
      return `is a ${typeof value}, which JSON can't hold`;
  }
}

function enterContainer(value: object, frames: Frame[], ancestors: Set<object>): string | undefined {
  if (ancestors.has(value)) return 'is a cycle';
  if (frames.length >= maxJsonDepth) return `is nested deeper than ${maxJsonDepth} levels`;
  const isArray = Array.isArray(value);
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function' || !hasPlainPrototype(value, isArray)) {
    return `is ${describeClass(value)}, which JSON would change; use plain data`;
  }
  const keys = Object.keys(value);
  // Symbols and hidden properties of an object, and named properties of an array, would be dropped.
  // (`length` is the one hidden property that every array has; holes are found by the walk.)
  const ownKeys = Reflect.ownKeys(value);
  const dropped = isArray
    ? ownKeys.length > value.length + 1
      ? ownKeys.find((key) => key !== 'length' && !isIndex(key))
      : undefined
    : ownKeys.length > keys.length
      ? ownKeys.find(
          (key) => typeof key === 'symbol' || !Object.prototype.propertyIsEnumerable.call(value, key),
        )
      : undefined;
  if (dropped !== undefined) return `has a property ${String(dropped)}, which JSON drops`;
  ancestors.add(value);
  frames.push({
    container: value,
    keys: isArray ? undefined : keys,
    length: isArray ? value.length : keys.length,
    next: 0,
  });
  return undefined;
}

/** Plain also where the object was made in another realm (Temporal's sandbox, a test runner's vm). */
export function hasPlainPrototype(value: object, isArray: boolean): boolean {
  let prototype = Object.getPrototypeOf(value) as object | null;
  if (isArray) prototype = prototype && (Object.getPrototypeOf(prototype) as object | null);
  if (prototype === null) return !isArray;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

function isIndex(key: PropertyKey): boolean {
  return typeof key === 'string' && String(Number(key) >>> 0) === key;
}

export function describeClass(value: object): string {
  const name = (value.constructor as { name?: unknown } | undefined)?.name;
  return typeof name === 'string' && name !== '' && name !== 'Object'
    ? `a ${name}`
    : 'an object that is not plain';
}

function pathSegment(frame: Frame): string {
  const index = frame.next - 1;
  return formatPathSegment(frame.keys === undefined ? index : (frame.keys[index] as string));
}

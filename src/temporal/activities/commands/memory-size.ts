import { bytesPerCharacter } from '../../../core/values/json.js';

/** About how many bytes a value takes in memory, and how many values it consists of. */
export interface MemorySize {
  readonly bytes: number;
  readonly values: number;
}

/**
 * Estimates the memory of a value and everything reachable from it; texts count two bytes a character. `#private`
 * fields and closures can't be seen.
 */
export function estimateMemory(root: unknown): MemorySize {
  const left: unknown[] = [root];
  const seen = new Set<object>();
  let [bytes, values] = [0, 0];
  while (left.length > 0) {
    const value = left.pop();
    values++;
    if (typeof value === 'string') {
      bytes += 16 + bytesPerCharacter * value.length;
    } else if (typeof value !== 'object' || value === null) {
      bytes += 8;
    } else if (!seen.has(value)) {
      seen.add(value);
      bytes += shallowBytes(value, left);
    }
  }
  return { bytes, values };
}

/** Bytes of an object alone; the values that it refers to are added to `left`. */
function shallowBytes(object: object, left: unknown[]): number {
  if (ArrayBuffer.isView(object) || object instanceof ArrayBuffer) return 64 + object.byteLength;
  if (Array.isArray(object)) {
    for (const element of object) left.push(element);
    return 16;
  }
  if (object instanceof Map) {
    for (const [key, value] of object) left.push(key, value);
    return 32 + 32 * object.size;
  }
  if (object instanceof Set) {
    for (const value of object) left.push(value);
    return 32 + 32 * object.size;
  }
  const keys = Object.keys(object);
  for (const key of keys) left.push(read(object, key));
  return 24 + 16 * keys.length;
}

/** Reads a property; a user's getter may throw. */
function read(object: object, key: string): unknown {
  try {
    return (object as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

import { bytesPerCharacter } from '../../../core/values/json.js';

/** What a value takes in memory, about, and of how many values it is made. */
export interface MemorySize {
  readonly bytes: number;
  readonly values: number;
}

/**
 * Estimates what a value takes in memory, by what can be reached from it: texts count two bytes a character. `#private` fields
 * and what functions close over can't be seen.
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

/** Bytes of an object without what it refers to, which is left to count. */
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

/** A getter of the user's may throw. */
function read(object: object, key: string): unknown {
  try {
    return (object as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

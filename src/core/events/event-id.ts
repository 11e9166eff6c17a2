import { sha1 } from '../values/sha1.js';

/** Constant of this library. Event ids of every store derive from it, so it can never change. */
const namespace = Uint8Array.from([
  0x5b, 0x0f, 0x6c, 0x1e, 0x2d, 0x5a, 0x4f, 0x0b, 0x9a, 0x3c, 0x7e, 0x41, 0xd8, 0x26, 0xb9, 0x73,
]);

const utf8 = new TextEncoder();
/** Room for most names: to encode into what is there takes a seventh of the time. */
const shortName = new Uint8Array(1024);
const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * The id of an event: a UUID of version 5 over its store, the stream, the commit and the event's place in the commit
 * (from 0). The same append to a store has the same ids however often it is made, so a unique index on the id is the
 * last guard against storing it twice. No other store has the same ids. See docs/decisions/0020.
 *
 * @param namespace of the store, which never changes; not the store id that an operator may rotate
 */
export function eventIdOf(namespace: string, streamId: string, commitId: string, ordinal: number): string {
  return uuidV5(JSON.stringify([namespace, streamId, commitId, ordinal]));
}

/** A UUID of version 5 (RFC 9562) in the library's namespace: a short, stable name for a long one. */
export function uuidV5(name: string): string {
  const [a, b, c, d] = sha1(bytesOf(name)) as unknown as readonly [number, number, number, number];
  const version = (b & 0x0fff) | 0x5000;
  const variant = ((c >>> 16) & 0x3fff) | 0x8000;
  return `${hex(a >>> 16)}${hex(a)}-${hex(b >>> 16)}-${hex(version)}-${hex(variant)}-${hex(c)}${hex(d >>> 16)}${hex(d)}`;
}

/** The namespace and the name. */
function bytesOf(name: string): Uint8Array {
  // No character takes more than 3 bytes in UTF-8.
  const most = namespace.length + name.length * 3;
  const bytes = most <= shortName.length ? shortName : new Uint8Array(most);
  bytes.set(namespace);
  const { written } = utf8.encodeInto(name, bytes.subarray(namespace.length));
  return bytes.subarray(0, namespace.length + written);
}

/** The lower 16 bits. */
function hex(half: number): string {
  return (hexOf[(half >>> 8) & 0xff] as string) + (hexOf[half & 0xff] as string);
}

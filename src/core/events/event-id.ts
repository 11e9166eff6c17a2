/** Constant of this library. Event ids of every store derive from it, so it can never change. */
const namespace = Uint8Array.of(
  0x5b,
  0x0f,
  0x6c,
  0x1e,
  0x2d,
  0x5a,
  0x4f,
  0x0b,
  0x9a,
  0x3c,
  0x7e,
  0x41,
  0xd8,
  0x26,
  0xb9,
  0x73,
);

const utf8 = new TextEncoder();
const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * The id of an event: a UUID of version 5 over the stream, the commit and the event's place in the commit (from 0). The
 * same append has the same ids wherever and however often it is made, so a unique index on the id is a last guard
 * against storing it twice.
 */
export function eventIdOf(streamId: string, commitId: string, ordinal: number): string {
  return uuidV5(JSON.stringify([streamId, commitId, ordinal]));
}

/** A UUID of version 5 (RFC 9562) in the library's namespace: a short, stable name for a long one. */
export function uuidV5(name: string): string {
  const bytes = utf8.encode(name);
  const hash = sha1(namespace, bytes);
  hash[6] = ((hash[6] as number) & 0x0f) | 0x50;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  let text = '';
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += '-';
    text += hexOf[hash[index] as number] as string;
  }
  return text;
}

// Made once: nothing here gives up control while they are in use.
const words = new Int32Array(80);
const state = new Int32Array(5);

/**
 * SHA-1 (RFC 3174) of two texts, one behind the other. Written out, because the workflow sandbox has no crypto and this
 * must give the same everywhere; and without an allocation in its loops, because each event that is appended costs one.
 */
function sha1(first: Uint8Array, second: Uint8Array): Uint8Array {
  const length = first.length + second.length;
  const padded = new Uint8Array(((length + 72) >> 6) << 6);
  padded.set(first);
  padded.set(second, first.length);
  padded[length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, length << 3);
  view.setUint32(padded.length - 8, length >>> 29);
  state[0] = 0x67452301;
  state[1] = 0xefcdab89;
  state[2] = 0x98badcfe;
  state[3] = 0x10325476;
  state[4] = 0xc3d2e1f0;
  for (let block = 0; block < padded.length; block += 64) mixIn(view, block);
  for (let index = 0; index < 5; index++) view.setInt32(index * 4, state[index] as number);
  return padded.subarray(0, 20);
}

function mixIn(view: DataView, block: number): void {
  for (let step = 0; step < 16; step++) words[step] = view.getInt32(block + step * 4);
  for (let step = 16; step < 80; step++) {
    words[step] = rotate(
      (words[step - 3] as number) ^
        (words[step - 8] as number) ^
        (words[step - 14] as number) ^
        (words[step - 16] as number),
      1,
    );
  }
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  for (let step = 0; step < 80; step++) {
    const mix =
      step < 20
        ? ((b & c) | (~b & d)) + 0x5a827999
        : step < 40
          ? (b ^ c ^ d) + 0x6ed9eba1
          : step < 60
            ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
            : (b ^ c ^ d) + 0xca62c1d6;
    const next = (rotate(a, 5) + mix + e + (words[step] as number)) | 0;
    e = d;
    d = c;
    c = rotate(b, 30);
    b = a;
    a = next;
  }
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
  state[4] = (state[4] as number) + e;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

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
  const bytes = new TextEncoder().encode(name);
  const input = new Uint8Array(namespace.length + bytes.length);
  input.set(namespace);
  input.set(bytes, namespace.length);
  const hash = sha1(input);
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(hash.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** SHA-1 (RFC 3174). Written out, because the workflow sandbox has no crypto and this must give the same everywhere. */
function sha1(message: Uint8Array): Uint8Array {
  const padded = new Uint8Array(((message.length + 72) >> 6) << 6);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, message.length << 3);
  view.setUint32(padded.length - 8, message.length >>> 29);

  let [h0, h1, h2, h3, h4] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  const words = new Int32Array(80);
  for (let block = 0; block < padded.length; block += 64) {
    let [a, b, c, d, e] = [h0, h1, h2, h3, h4];
    for (let step = 0; step < 80; step++) {
      const word =
        step < 16
          ? view.getInt32(block + step * 4)
          : rotate(
              at(words, step - 3) ^ at(words, step - 8) ^ at(words, step - 14) ^ at(words, step - 16),
              1,
            );
      words[step] = word;
      const mix =
        step < 20
          ? ((b & c) | (~b & d)) + 0x5a827999
          : step < 40
            ? (b ^ c ^ d) + 0x6ed9eba1
            : step < 60
              ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
              : (b ^ c ^ d) + 0xca62c1d6;
      [a, b, c, d, e] = [(rotate(a, 5) + mix + e + word) | 0, a, rotate(b, 30), c, d];
    }
    [h0, h1, h2, h3, h4] = [(h0 + a) | 0, (h1 + b) | 0, (h2 + c) | 0, (h3 + d) | 0, (h4 + e) | 0];
  }
  const digest = new DataView(new ArrayBuffer(20));
  [h0, h1, h2, h3, h4].forEach((word, index) => {
    digest.setInt32(index * 4, word);
  });
  return new Uint8Array(digest.buffer);
}

function at(words: Int32Array, index: number): number {
  return words[index] ?? 0;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/**
 * SHA-1 (RFC 3174), as five words. Written out, because the workflow sandbox has no crypto and this must give the same
 * everywhere; and without an allocation in its loops, because each event that is appended costs one.
 */
export function sha1(bytes: Uint8Array): Int32Array {
  const { length } = bytes;
  const words = new Int32Array(16);
  const state = new Int32Array(5);
  state[0] = 0x67452301;
  state[1] = 0xefcdab89;
  state[2] = 0x98badcfe;
  state[3] = 0x10325476;
  state[4] = 0xc3d2e1f0;
  const whole = length & ~63;
  for (let block = 0; block < whole; block += 64) mixIn(state, words, bytes, block);
  // What is left, a bit behind it, and the length in bits at the end of the last block.
  const last = new Uint8Array(64);
  for (let index = whole; index < length; index++) last[index - whole] = bytes[index] as number;
  last[length - whole] = 0x80;
  if (length - whole >= 56) {
    mixIn(state, words, last, 0);
    last.fill(0);
  }
  for (let index = 0; index < 4; index++) last[60 + index] = (length << 3) >>> (24 - index * 8);
  last[59] = length >>> 29;
  mixIn(state, words, last, 0);
  return state;
}

/** @param words room for the last sixteen */
function mixIn(state: Int32Array, words: Int32Array, bytes: Uint8Array, block: number): void {
  for (let step = 0; step < 16; step++) {
    const at = block + step * 4;
    words[step] =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number);
  }
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  for (let step = 0; step < 80; step++) {
    if (step >= 16) {
      const word =
        wordAt(words, step - 3) ^ wordAt(words, step - 8) ^ wordAt(words, step - 14) ^ wordAt(words, step);
      words[step & 15] = rotate(word, 1);
    }
    const mix =
      step < 20
        ? ((b & c) | (~b & d)) + 0x5a827999
        : step < 40
          ? (b ^ c ^ d) + 0x6ed9eba1
          : step < 60
            ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
            : (b ^ c ^ d) + 0xca62c1d6;
    const next = (rotate(a, 5) + mix + e + wordAt(words, step)) | 0;
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

function wordAt(words: Int32Array, step: number): number {
  return words[step & 15] as number;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

import type { TestRandom } from "../../packages/millrace/src/core/test-random.ts";

/** Bytes that parsers stumble over. */
const NASTY_BYTES: readonly [string, ...string[]] = [
  "\0",
  "\r\n",
  "\r\n\r\n",
  "\n",
  "\xff",
  "\xc3(",
  "\xed\xa0\x80",
  "\xef\xbb\xbf",
  "%00",
  "../",
  "[[[[[[[[",
  "{}",
  '"',
  "\\u0000",
  "\\ud800",
  "-",
  "1e999",
  "9223372036854775808",
  "\x1f\x8b\b\0",
  "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
  "\x7f\xff\xff\xff",
  "0\r\n\r\n",
];

/** Changes bytes in one to four places: flips, drops, repeats, inserts, cuts. */
export function mutateBytes(random: TestRandom, bytes: Buffer): Buffer {
  let mutated = bytes;
  for (let round = 1 + random.below(4); round > 0; round--) mutated = mutateOnce(random, mutated);
  return mutated;
}

function mutateOnce(random: TestRandom, bytes: Buffer): Buffer {
  const at = random.below(bytes.length + 1);
  const length = 1 + random.below(Math.min(32, bytes.length - at + 1));
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(at);
  switch (random.below(6)) {
    case 0: {
      const flipped = Buffer.from(bytes);
      if (at < bytes.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8));
      return flipped;
    }
    case 1:
      return Buffer.concat([before, bytes.subarray(at + length)]);
    case 2:
      return Buffer.concat([before, bytes.subarray(at, at + length), after]);
    case 3:
      return before;
    case 4: {
      const overwritten = Buffer.from(bytes);
      if (at < bytes.length) overwritten[at] = random.below(256);
      return overwritten;
    }
    default:
      return Buffer.concat([before, Buffer.from(random.pick(NASTY_BYTES), "latin1"), after]);
  }
}

import type { TestRandom } from "../../packages/millrace/src/core/test-random.ts";

/** A field as its number and its value: a whole number (varint), bytes or text, or a message. */
export type Field = readonly [number: number, value: number | bigint | string | Buffer | Field[]];

const NUMBERS: readonly [bigint, ...bigint[]] = [
  0n,
  1n,
  127n,
  128n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

const TEXTS: readonly [string, ...string[]] = [
  "",
  "\0",
  "\xff\xfe",
  "\xed\xa0\x80",
  "../x",
  "__proto__",
  "a".repeat(300),
  "INT64",
  "FP16",
  "stats",
];

/** Writes a message in which about every 1/`rate`-th field is wrong: gone, twice, of another type, too long. */
export function nastyProtobuf(random: TestRandom, fields: readonly Field[], rate: number): Buffer {
  const parts: Buffer[] = [];
  for (const [number, value] of fields) {
    const fate = random.next() < rate ? random.below(9) : 9;
    if (fate === 0) continue;
    if (fate === 1) parts.push(field(random, [number, value], rate));
    if (fate === 2) {
      parts.push(field(random, [random.pick([0, 15, 16, 99, 536_870_911]), value], 0));
    } else if (fate === 3) {
      parts.push(field(random, [number, random.pick(NUMBERS)], 0));
    } else if (fate === 4) {
      parts.push(field(random, [number, Buffer.from(random.pick(TEXTS), "latin1")], 0));
    } else if (fate === 5) {
      parts.push(tag(number, 2), varint(random.pick(NUMBERS)));
    } else if (fate === 6) {
      parts.push(tag(number, random.below(8)), Buffer.from([random.below(256)]));
    } else if (fate === 7) {
      parts.push(deepGroups(random, number));
    } else parts.push(field(random, [number, value], rate));
  }
  return Buffer.concat(parts);
}

function field(random: TestRandom, [number, value]: Field, rate: number): Buffer {
  if (typeof value === "number" || typeof value === "bigint") {
    return Buffer.concat([tag(number, 0), varint(BigInt.asUintN(64, BigInt(value)))]);
  }
  const bytes = Array.isArray(value)
    ? nastyProtobuf(random, value, rate)
    : Buffer.from(value as string | Buffer);
  return Buffer.concat([tag(number, 2), varint(BigInt(bytes.length)), bytes]);
}

/** The same field inside itself, and groups that never end. */
function deepGroups(random: TestRandom, number: number): Buffer {
  const levels = random.pick([10, 101, 1_000]);
  if (random.below(2) === 0)
    return Buffer.concat(Array.from({ length: levels }, () => tag(number, 3)));
  let bytes: Buffer = Buffer.alloc(0);
  for (let level = 0; level < levels; level++) {
    bytes = Buffer.concat([tag(number, 2), varint(BigInt(bytes.length)), bytes]);
  }
  return bytes;
}

function tag(number: number, wireType: number): Buffer {
  return varint((BigInt(number) << 3n) | BigInt(wireType));
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

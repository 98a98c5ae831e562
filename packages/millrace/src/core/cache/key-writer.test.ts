import { hash } from "node:crypto";
import { expect, test } from "vitest";
import { TestRandom } from "../test-random.ts";
import { KeyWriter } from "./key-writer.ts";

const sha256 = (bytes: Uint8Array): string => hash("sha256", bytes, "hex");

function digestOf(write: (writer: KeyWriter) => void): string {
  const writer = new KeyWriter(sha256);
  write(writer);
  return writer.finish();
}

const textsDigest = (...texts: string[]): string => digestOf((writer) => writer.texts(texts));

test("finish() gives 64 hex digits, and begins anew", () => {
  const writer = new KeyWriter(sha256);
  writer.text("a");
  const first = writer.finish();
  writer.text("a");
  expect(first).toMatch(/^[0-9a-f]{64}$/);
  expect(writer.finish()).toBe(first);
  expect(writer.finish()).not.toBe(first);
});

test("texts() tells lists apart that are alike when they are put together", () => {
  const lists = [
    ["ab", "c"],
    ["a", "bc"],
    ["abc"],
    ["", "abc"],
    ["abc", ""],
    ["a", "b", "c"],
    [],
    [""],
    ["", ""],
  ];
  expect(new Set(lists.map((list) => textsDigest(...list))).size).toBe(lists.length);
});

test("text() tells all texts apart, whatever their characters and length", () => {
  const texts = [
    "é",
    "e\u0301",
    "\ud800",
    "\ufffd",
    "\udc00",
    "ÿ",
    "\u00ff\u0000",
    "x".repeat(32),
    "x".repeat(33),
    "x".repeat(2048),
    "x".repeat(2049),
    "x".repeat(9000),
    `${"x".repeat(8999)}y`,
    "日".repeat(3000),
  ];
  expect(new Set(texts.map((text) => textsDigest(text))).size).toBe(texts.length);
});

test("text() cannot be made to look like other parts", () => {
  const long = "x".repeat(40);
  const two = digestOf((writer) => {
    writer.text(long);
    writer.text("b");
  });
  // The characters are what stands before a short text: its kind and its length.
  expect(digestOf((writer) => writer.text(`${long}\u0004\u0001b`))).not.toBe(two);
  const ascii = "ab".repeat(20);
  const sameBytes = Buffer.from(ascii).toString("utf16le");
  expect(textsDigest(sameBytes)).not.toBe(textsDigest(ascii));
});

test("elements() tells numbers apart bit by bit: −0 from 0, one NaN from another", () => {
  const bits = new Uint32Array([0, 0x8000_0000, 0x7fc0_0000, 0x7fc0_0001, 0xffc0_0000]);
  const floats = new Float32Array(bits.buffer);
  const digests = [...bits.keys()].map((i) => digestOf((writer) => writer.elements(floats, i, 1)));
  expect(new Set(digests).size).toBe(bits.length);
});

test("elements() reads only the window of a view", () => {
  const all = Float32Array.of(1, 2, 3, 4);
  const view = all.subarray(1, 3);
  const own = Float32Array.of(2, 3);
  const digest = digestOf((writer) => writer.elements(own, 0, 2));
  expect(digestOf((writer) => writer.elements(view, 0, 2))).toBe(digest);
  expect(digestOf((writer) => writer.elements(all, 1, 2))).toBe(digest);
});

/** One list of parts, in a form of its own to compare with. */
function randomParts(random: TestRandom): { parts: (string | number)[]; digest: string } {
  const parts = Array.from({ length: random.below(6) }, () => {
    if (random.below(3) === 0) return random.below(3);
    const length = random.pick([0, 1, 2, 31, 32, 33, 2047, 2048, 2049, 5000]);
    return random.pick(["a", "b", "ä", "\0"]).repeat(length);
  });
  const digest = digestOf((writer) => {
    for (const part of parts) {
      if (typeof part === "number") writer.number(part);
      else writer.text(part);
    }
  });
  return { parts, digest };
}

test("finish() agrees for two lists only when they are the same", () => {
  const random = new TestRandom(20260);
  const seen = new Map<string, string>();
  for (let i = 0; i < 5000; i++) {
    const { parts, digest } = randomParts(random);
    const text = JSON.stringify(parts);
    expect(seen.get(digest) ?? text, `seed ${random.seed}`).toBe(text);
    seen.set(digest, text);
  }
  const lists = new Set(seen.values());
  expect(lists.size).toBe(seen.size);
});

test("a writer holds no more than its scratch however much is written", () => {
  let longest = 0;
  const writer = new KeyWriter((bytes) => {
    longest = Math.max(longest, bytes.length);
    return sha256(bytes);
  });
  for (let i = 0; i < 1000; i++) writer.text(`${i} ${"x".repeat(1000)}`);
  writer.finish();
  expect(longest).toBeLessThanOrEqual(8 * 1024);
});

import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { boundedBytes } from "./bounded-bytes.ts";

test("boundedBytes() returns the pieces in one when they are as long as the limit", async () => {
  const pieces = Readable.from([Buffer.from("ab"), Buffer.from("c")]);
  expect(await boundedBytes(pieces, 3)).toEqual(Buffer.from("abc"));
});

test("boundedBytes() stops when a source has no end", async () => {
  const zeros = createReadStream("/dev/zero");
  expect(await boundedBytes(zeros, 1_000_000)).toBeUndefined();
  expect(zeros.bytesRead).toBeLessThan(2_000_000);
  expect(zeros.destroyed).toBe(true);
});

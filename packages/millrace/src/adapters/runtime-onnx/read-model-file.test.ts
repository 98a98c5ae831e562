import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MODEL_FILE_BYTES_MAX, readModelFile } from "./read-model-file.ts";

// The messages for missing, empty and wrong files are cases of the contract suite.

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "read-model-file-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

test("readModelFile() returns bytes and digest when the digest is the expected one", async () => {
  const path = join(folder, "abc");
  await writeFile(path, "abc");
  const sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const content = await readModelFile(path, sha256);
  expect(content.sha256).toBe(sha256);
  expect(Buffer.from(content.bytes).toString()).toBe("abc");
});

test("readModelFile() refuses without reading when the file is over the limit", async () => {
  const path = join(folder, "large");
  const file = await open(path, "w");
  await file.truncate(MODEL_FILE_BYTES_MAX + 1); // sparse: takes no disk space
  await file.close();
  await expect(readModelFile(path, undefined)).rejects.toThrow(
    `it has ${MODEL_FILE_BYTES_MAX + 1} bytes, at most ${MODEL_FILE_BYTES_MAX} are allowed`,
  );
});

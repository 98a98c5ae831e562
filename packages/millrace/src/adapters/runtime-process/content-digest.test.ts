import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ModelProgram } from "../../ports/runtime.ts";
import { checkUnchanged, contentDigest, type ModelContent } from "./content-digest.ts";

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "millrace-content-"))));
afterEach(() => rm(folder, { recursive: true }));

function programOf(overrides: Partial<ModelProgram> = {}): ModelProgram {
  const rest = { model: "m", command: ["run"], files: [], hasSource: true, env: {}, startMs: 1 };
  return { folder, ...rest, ...overrides };
}

function contentOf(name: string, overrides: Partial<ModelProgram> = {}): Promise<ModelContent> {
  const file = { path: join(folder, name), sha256: undefined, threads: 1 };
  return contentDigest(file, programOf(overrides));
}

async function put(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, text);
  return path;
}

test("contentDigest() has the digest of a source file as sha256sum does", async () => {
  await put("model.bin", "abc");
  const { sha256, sourceSha256, sizeBytes } = await contentOf("model.bin");
  expect(sourceSha256).toBe(createHash("sha256").update("abc").digest("hex"));
  expect(sizeBytes).toBe(3);
  expect(sha256).not.toBe(sourceSha256);
});

test("contentDigest() of a folder changes with names and contents, not with what is hidden or compiled", async () => {
  await put("model/a.bin", "a");
  await put("model/sub/b.bin", "b");
  const { sha256: first, sizeBytes } = await contentOf("model");
  expect(sizeBytes).toBe(2);
  await put("model/.cache", "x");
  await put("model/sub/__pycache__/b.pyc", "x");
  expect((await contentOf("model")).sha256).toBe(first);
  await put("model/sub/b.bin", "c");
  const second = (await contentOf("model")).sha256;
  await put("model/c.bin", "");
  const third = (await contentOf("model")).sha256;
  expect(new Set([first, second, third]).size).toBe(3);
});

test("contentDigest() without a source is of the command and its files", async () => {
  const files = [await put("serve.py", "1")];
  const own = { hasSource: false, files };
  const { sha256, sourceSha256, sizeBytes } = await contentOf("", own);
  expect([sourceSha256, sizeBytes]).toEqual([undefined, 1]);
  expect((await contentOf("", { ...own, command: ["walk"] })).sha256).not.toBe(sha256);
  await put("serve.py", "2");
  expect((await contentOf("", own)).sha256).not.toBe(sha256);
});

test.each([
  ["empty.bin", "it is empty, 0 bytes"],
  ["nothing", "the folder has no files"],
  ["missing", "ENOENT"],
])("contentDigest() of %s says why it cannot be", async (name, why) => {
  await put("empty.bin", "");
  await mkdir(join(folder, "nothing"));
  await expect(contentOf(name)).rejects.toThrow(why);
});

test("checkUnchanged() throws when a file was written since", async () => {
  const path = await put("model.bin", "abc");
  const file = { path, sha256: undefined, threads: 1 };
  const content = await contentOf("model.bin");
  await checkUnchanged(content, file, programOf());
  await utimes(path, 1, 1);
  await expect(checkUnchanged(content, file, programOf())).rejects.toThrow("it was changed");
});

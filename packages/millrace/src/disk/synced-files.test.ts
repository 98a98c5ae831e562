import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { makeFolderSynced, syncFile, writeFileSynced } from "./synced-files.ts";

class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "millrace-disk-"));
  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

it("writeFileSynced() puts a file in its place, over another one, and leaves nothing beside it", async () => {
  using folder = new Folder();
  const path = join(folder.path, "a.json");
  await writeFileSynced(path, "one");
  await writeFileSynced(path, new TextEncoder().encode("two"));
  await syncFile(path);
  expect(readFileSync(path, "utf8")).toBe("two");
  expect(readdirSync(folder.path)).toEqual(["a.json"]);
});

it("writeFileSynced() that fails leaves what was there", async () => {
  using folder = new Folder();
  const path = join(folder.path, "a.json");
  mkdirSync(path);
  await expect(writeFileSynced(path, "one")).rejects.toThrow("EISDIR");
  expect(readdirSync(folder.path)).toEqual(["a.json"]);
  await expect(writeFileSynced(join(folder.path, "none/a.json"), "one")).rejects.toThrow("ENOENT");
});

it("writeFileSynced() of many at once leaves one of them whole", async () => {
  using folder = new Folder();
  const path = join(folder.path, "a.json");
  const texts = Array.from({ length: 20 }, (_, index) => String(index).repeat(10_000));
  await Promise.all(texts.map((text) => writeFileSynced(path, text)));
  expect(texts).toContain(readFileSync(path, "utf8"));
  expect(readdirSync(folder.path)).toEqual(["a.json"]);
});

it("makeFolderSynced() makes folders that are not there and leaves others alone", async () => {
  using folder = new Folder();
  const path = join(folder.path, "a/b/c");
  await makeFolderSynced(path);
  await makeFolderSynced(path);
  expect(existsSync(path)).toBe(true);
});

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Logger } from "../ports/logger.ts";
import { FileVersionLedger, MemoryVersionLedger } from "./version-ledger.ts";

let root: string;
beforeAll(async () => (root = await mkdtemp(join(tmpdir(), "millrace-ledger-"))));
afterAll(() => rm(root, { recursive: true }));

/** A log that keeps its warnings. */
class TestLog implements Logger {
  readonly warnings: string[] = [];
  debug(): void {}
  info(): void {}
  error(): void {}
  warn(_fields: object, message: string): void {
    this.warnings.push(message);
  }
}

const digestOf = (i: number): string => i.toString(16).padStart(64, "0");

test.each([
  ["MemoryVersionLedger", () => new MemoryVersionLedger()],
  ["FileVersionLedger", () => new FileVersionLedger(join(root, "same"), new TestLog())],
])("versionOf() of %s numbers contents from 1 and knows them again", async (_name, create) => {
  const ledger = create();
  expect(await ledger.versionOf("iris", digestOf(1))).toBe(1);
  expect(await ledger.versionOf("iris", digestOf(2))).toBe(2);
  expect(await ledger.versionOf("iris", digestOf(1))).toBe(1);
  expect(await ledger.versionOf("other", digestOf(2))).toBe(1);
});

test("versionOf() gives the same number when another ledger asks later", async () => {
  const folder = join(root, "later");
  await new FileVersionLedger(folder, new TestLog()).versionOf("iris", digestOf(1));
  const later = new FileVersionLedger(folder, new TestLog());
  expect(await later.versionOf("iris", digestOf(2))).toBe(2);
  expect(await later.versionOf("iris", digestOf(1))).toBe(1);
  expect((await readdir(join(folder, "iris"))).toSorted()).toEqual(["1", "2"]);
});

test("versionOf() gives distinct numbers without gaps when two ledgers claim at once", async () => {
  const folder = join(root, "race");
  const log = new TestLog();
  const ledgers = [new FileVersionLedger(folder, log), new FileVersionLedger(folder, log)];
  const contents = Array.from({ length: 20 }, (_, i) => digestOf(i));
  const claims = await Promise.all(
    ledgers.map((ledger) =>
      Promise.all(contents.map((digest) => ledger.versionOf("iris", digest))),
    ),
  );
  expect(log.warnings).toEqual([]);
  expect(claims[0]).toEqual(claims[1]);
  expect(claims[0]?.toSorted((a, b) => a - b)).toEqual(contents.map((_digest, i) => i + 1));
  for (const [i, number] of (claims[0] ?? []).entries()) {
    const stored = await readFile(join(folder, "iris", String(number)), "utf8");
    expect(stored).toBe(`${contents[i] ?? ""}\n`);
  }
  expect(await readdir(join(folder, "iris"))).toHaveLength(contents.length);
});

test("versionOf() counts on when two files hold the same content", async () => {
  const folder = join(root, "copied");
  await mkdir(join(folder, "iris"), { recursive: true });
  for (const version of [1, 2]) {
    await writeFile(join(folder, "iris", String(version)), `${digestOf(1)}\n`);
  }
  expect(await new FileVersionLedger(folder, new TestLog()).versionOf("iris", digestOf(2))).toBe(3);
});

test("versionOf() ignores files that are no version", async () => {
  const folder = join(root, "strange");
  await mkdir(join(folder, "iris", "notes"), { recursive: true });
  await writeFile(join(folder, "iris", "0"), digestOf(1));
  await writeFile(join(folder, "iris", "7.draft"), digestOf(1));
  expect(await new FileVersionLedger(folder, new TestLog()).versionOf("iris", digestOf(1))).toBe(1);
});

test("versionOf() warns once and numbers in memory when the folder cannot be written", async () => {
  const file = join(root, "file");
  await writeFile(file, "");
  const log = new TestLog();
  const ledger = new FileVersionLedger(join(file, "below"), log);
  const numbers = [1, 2, 1].map((i) => ledger.versionOf("iris", digestOf(i)));
  const [first, other, again] = await Promise.all(numbers); // in either order
  expect(again).toBe(first);
  expect(new Set([first, other])).toEqual(new Set([1, 2]));
  expect(log.warnings).toEqual([
    "New version numbers do not outlast this process: state.dir cannot be written",
  ]);
});

test("versionOf() gives no number twice when the folder fails after some versions", async () => {
  const folder = join(root, "failing");
  const log = new TestLog();
  const earlier = new FileVersionLedger(folder, log);
  for (const i of [1, 2, 3]) await earlier.versionOf("iris", digestOf(i));
  const ledger = new FileVersionLedger(folder, log);
  expect(await ledger.versionOf("iris", digestOf(1))).toBe(1);
  await rm(folder, { recursive: true });
  await writeFile(folder, "");
  expect(await ledger.versionOf("iris", digestOf(4))).toBe(4);
  expect(await ledger.versionOf("iris", digestOf(2))).toBe(2);
  expect(log.warnings).toHaveLength(1);
});

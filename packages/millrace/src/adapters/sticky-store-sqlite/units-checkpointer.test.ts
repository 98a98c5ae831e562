import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { TestClock } from "../../core/test-clock.ts";
import { TestRandom } from "../../core/test-random.ts";
import { SqliteStickyStore } from "./sticky-store-sqlite.ts";
import { UnitsCheckpointer } from "./units-checkpointer.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-checkpoint-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CONTROL = { arm: "control", phase: 1, propensity: 0.5 };
const random = new TestRandom(7);

function hashes(count: number): string[] {
  const part = (): string =>
    random
      .below(2 ** 31)
      .toString(16)
      .padStart(8, "0");
  return Array.from({ length: count }, () => part() + part() + part() + part());
}

async function addAll(store: SqliteStickyStore, units: readonly string[]): Promise<void> {
  for (const unitHash of units) store.add("iris/rf", unitHash, CONTROL);
  await store.flush();
}

it("carries a log of some MiB into the file, so that it grows no longer", async () => {
  const path = join(folder, "units.sqlite");
  const clock = new TestClock();
  const store = new SqliteStickyStore({
    path,
    clock,
    onTrouble: (trouble) => expect.fail(trouble.kind),
  });
  const checkpointer = new UnitsCheckpointer({ path, clock });
  const units = hashes(12_000);
  const logBytes: number[] = [];
  for (let i = 0; i < 6; i++) {
    await addAll(store, units.slice(2_000 * i, 2_000 * (i + 1)));
    logBytes.push(statSync(`${path}-wal`).size);
    clock.advanceMs(1_000);
  }
  expect(statSync(path).size).toBeGreaterThan(300_000);
  // Without, all that was ever written is in the log: five times as much.
  expect(Math.max(...logBytes)).toBeLessThan(10 * 2 ** 20);
  for (const unitHash of units) expect(store.find("iris/rf", unitHash)?.arm).toBe("control");
  checkpointer.close();
  expect(clock.timerCount).toBe(0);
  await store.close();
});

it("leaves a short log as it is", async () => {
  const path = join(folder, "short.sqlite");
  const clock = new TestClock();
  const store = new SqliteStickyStore({
    path,
    clock,
    onTrouble: (trouble) => expect.fail(trouble.kind),
  });
  const before = statSync(path).size;
  const checkpointer = new UnitsCheckpointer({ path, clock });
  await addAll(store, hashes(100));
  clock.advanceMs(5_000);
  expect(statSync(path).size).toBe(before);
  checkpointer.close();
  await store.close();
});

it("makes no file, and minds no folder in its place", () => {
  const clock = new TestClock();
  const missing = join(folder, "missing.sqlite");
  const inPlace = join(folder, "folder.sqlite");
  mkdirSync(inPlace);
  mkdirSync(`${inPlace}-wal`);
  const checkpointers = [missing, inPlace].map((path) => new UnitsCheckpointer({ path, clock }));
  clock.advanceMs(10_000);
  expect(existsSync(missing)).toBe(false);
  for (const checkpointer of checkpointers) checkpointer.close();
});

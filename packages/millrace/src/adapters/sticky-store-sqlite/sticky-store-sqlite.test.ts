import { execFile, spawn } from "node:child_process";
import {
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterAll, expect, it } from "vitest";
import { TestClock } from "../../core/test-clock.ts";
import type { StickyTrouble } from "../../ports/sticky-store.ts";
import { SqliteStickyStore } from "./sticky-store-sqlite.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-units-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const IRIS = "iris/rf";
const CONTROL = { arm: "control", phase: 1, propensity: 0.5 };
const TREATMENT = { arm: "treatment", phase: 1, propensity: 0.5 };
const PROCESS = new URL("./test-process.ts", import.meta.url).pathname;

let count = 0;

function newPath(): string {
  return join(folder, `${count++}`, "units.sqlite");
}

function unitHash(number: number): string {
  return number.toString(16).padStart(32, "0");
}

interface Opened {
  readonly store: SqliteStickyStore;
  readonly clock: TestClock;
  readonly troubles: StickyTrouble[];
}

function open(path: string, unitsMax?: number): Opened {
  const clock = new TestClock();
  const troubles: StickyTrouble[] = [];
  const onTrouble = (trouble: StickyTrouble): number => troubles.push(trouble);
  const bound = unitsMax === undefined ? {} : { unitsMax };
  return { store: new SqliteStickyStore({ path, clock, onTrouble, ...bound }), clock, troubles };
}

/** Lets promises that wait for the clock go on until the one is settled. */
async function settled<Value>(clock: TestClock, promise: Promise<Value>): Promise<Value> {
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  promise.then(settle, settle);
  for (let i = 0; i < 10_000 && !isSettled; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advanceMs(10);
  }
  return promise;
}

it("keeps in the file what 100 ms of adding gave, in batches", async () => {
  const path = newPath();
  const { store, clock, troubles } = open(path);
  for (let i = 0; i < 250; i++) store.add(IRIS, unitHash(i), CONTROL);
  const rows = (): unknown => readRows(path).length;
  clock.advanceMs(99);
  expect(rows()).toBe(0);
  clock.advanceMs(1);
  expect(rows()).toBe(100);
  clock.advanceMs(20);
  expect(rows()).toBe(250);
  expect(clock.timerCount).toBe(0);
  expect(troubles).toEqual([]);
  await store.close();
});

it("add() waits for no other process that writes, and what it added is written afterwards", async () => {
  const path = newPath();
  const { store, clock, troubles } = open(path);
  const other = new DatabaseSync(path);
  other.exec("begin immediate");
  expect(store.add(IRIS, unitHash(1), CONTROL)).toBe(true);
  clock.advanceMs(1_000);
  expect(store.find(IRIS, unitHash(1))).toEqual(CONTROL);
  other.exec("rollback");
  clock.advanceMs(10);
  expect(readRows(path)).toEqual([[unitHash(1), "control"]]);
  expect(troubles).toEqual([]);
  other.close();
  await store.close();
});

it("flush() gives up when another process writes for two seconds, and nothing is lost", async () => {
  const path = newPath();
  const { store, clock } = open(path);
  const other = new DatabaseSync(path);
  other.exec("begin immediate");
  store.add(IRIS, unitHash(1), CONTROL);
  await expect(settled(clock, store.flush())).rejects.toThrow(
    "Cannot keep units: other processes write, since 2000 ms",
  );
  await expect(settled(clock, store.beginWriteThrough())).rejects.toThrow("Cannot keep units");
  await expect(settled(clock, store.forget(unitHash(2)))).rejects.toThrow("Cannot keep units");
  other.exec("rollback");
  await settled(clock, store.flush());
  expect(readRows(path)).toHaveLength(1);
  other.close();
  await store.close();
});

it("flush() is done when a batch of the time before has written everything", async () => {
  const path = newPath();
  const { store, clock } = open(path);
  const other = new DatabaseSync(path);
  other.exec("begin immediate");
  store.add(IRIS, unitHash(1), CONTROL);
  const flushed = store.flush();
  other.exec("rollback");
  clock.advanceMs(100);
  await settled(clock, flushed);
  expect(readRows(path)).toHaveLength(1);
  other.close();
  await store.close();
});

it("add() in write-through keeps for later what cannot be written at once", async () => {
  const path = newPath();
  const { store, clock, troubles } = open(path);
  await store.beginWriteThrough();
  const other = new DatabaseSync(path);
  other.exec("begin immediate");
  expect(store.add(IRIS, unitHash(1), CONTROL)).toBe(true);
  other.exec("rollback");
  clock.advanceMs(100);
  expect(readRows(path)).toHaveLength(1);
  expect(troubles).toEqual([]);
  other.close();
  await store.close();
});

it("endWriteThrough() lets it write in batches again a second later", async () => {
  const path = newPath();
  const { store, clock } = open(path);
  await store.beginWriteThrough();
  store.endWriteThrough();
  clock.advanceMs(999);
  store.add(IRIS, unitHash(1), CONTROL);
  expect(readRows(path)).toHaveLength(1);
  clock.advanceMs(1);
  store.add(IRIS, unitHash(2), CONTROL);
  expect(readRows(path)).toHaveLength(1);
  await store.close();
  expect(readRows(path)).toHaveLength(2);
});

it("endWriteThrough() of one change does not end that of another", async () => {
  const path = newPath();
  const { store, clock } = open(path);
  await store.beginWriteThrough();
  await store.beginWriteThrough();
  store.endWriteThrough();
  clock.advanceMs(60_000);
  store.add(IRIS, unitHash(1), CONTROL);
  expect(readRows(path)).toHaveLength(1);
  store.endWriteThrough();
  clock.advanceMs(1_000);
  store.add(IRIS, unitHash(2), CONTROL);
  expect(readRows(path)).toHaveLength(1);
  await store.close();
});

it("believes for ten seconds at most that a unit has no arm", async () => {
  const path = newPath();
  const first = open(path);
  const second = open(path);
  expect(first.store.find(IRIS, unitHash(1))).toBeUndefined();
  second.store.add(IRIS, unitHash(1), CONTROL);
  await second.store.flush();
  expect(first.store.find(IRIS, unitHash(1))).toBeUndefined();
  first.clock.advanceMs(10_000);
  expect(first.store.find(IRIS, unitHash(1))).toEqual(CONTROL);
  await first.store.close();
  await second.store.close();
});

it("keeps no more than 50,000 arms that wait, and tells of the others", async () => {
  const { store, troubles } = open(newPath());
  for (let i = 0; i < 50_002; i++) store.add(IRIS, unitHash(i), CONTROL);
  const lost = { kind: "lost", reason: "backlog", count: 1 };
  expect(troubles).toEqual([lost, lost]);
  expect(store.find(IRIS, unitHash(50_001))).toBeUndefined();
  await store.flush();
  expect(store.add(IRIS, unitHash(50_001), CONTROL)).toBe(true);
  expect(store.find(IRIS, unitHash(50_001))).toEqual(CONTROL);
  await store.close();
});

it("keeps no more units than the file may have, and tells of the others", async () => {
  const path = newPath();
  const { store, troubles } = open(path, 3);
  for (let i = 0; i < 5; i++) store.add(IRIS, unitHash(i), CONTROL);
  await store.flush();
  expect(readRows(path)).toHaveLength(3);
  expect(troubles).toEqual([{ kind: "lost", reason: "full", count: 2 }]);
  store.replace(IRIS, unitHash(0), TREATMENT);
  await store.forget(unitHash(1));
  store.add(IRIS, unitHash(9), CONTROL);
  await store.flush();
  expect(readRows(path).map(([, arm]) => arm)).toEqual(["treatment", "control", "control"]);
  store.add(IRIS, unitHash(10), CONTROL);
  await store.flush();
  expect(readRows(path)).toHaveLength(3);
  await store.close();
});

it("goes on in memory while there is a folder in the place of the file, and writes when it is gone", async () => {
  const path = newPath();
  mkdirSync(path, { recursive: true });
  const { store, clock, troubles } = open(path);
  store.add(IRIS, unitHash(1), CONTROL);
  clock.advanceMs(60_000);
  expect(store.find(IRIS, unitHash(1))).toEqual(CONTROL);
  expect(troubles).toMatchObject([{ kind: "failed", error: { code: "ERR_SQLITE_ERROR" } }]);
  await expect(store.flush()).rejects.toThrow("unable to open");
  rmdirSync(path);
  clock.advanceMs(30_000);
  expect(readRows(path)).toHaveLength(1);
  expect(troubles[1]).toEqual({ kind: "recovered" });
  await store.close();
});

it("goes on in memory when the file is no database, and tells once", async () => {
  const path = newPath();
  mkdirSync(join(path, ".."));
  writeFileSync(path, "this is no database, but long enough to be looked at as one\n".repeat(100));
  const { store, clock, troubles } = open(path);
  store.add(IRIS, unitHash(1), CONTROL);
  clock.advanceMs(100_000);
  expect(store.find(IRIS, unitHash(1))).toEqual(CONTROL);
  expect(troubles).toMatchObject([
    { kind: "failed", error: { message: "file is not a database" } },
  ]);
  await store.close();
  expect(troubles.at(-1)).toEqual({ kind: "lost", reason: "backlog", count: 1 });
});

it("tells once of a file that is damaged while it runs, however often it is asked", async () => {
  const path = newPath();
  const { store, clock, troubles } = open(path);
  for (let i = 0; i < 200; i++) store.add(IRIS, unitHash(i), CONTROL);
  await settled(clock, store.flush());
  checkpoint(path);
  damage(path);
  for (let second = 0; second < 60; second++) {
    for (let i = 0; i < 20; i++) store.find(IRIS, unitHash(1_000 * second + 500 + i));
    clock.advanceMs(1_000);
  }
  expect(troubles).toMatchObject([{ kind: "failed" }]);
  await store.close();
});

it.each(["removed", "moved and made anew"])(
  "begins a new file when the old one was %s while it runs",
  async (what) => {
    const path = newPath();
    const { store, clock, troubles } = open(path);
    store.add(IRIS, unitHash(1), CONTROL);
    await store.flush();
    for (const end of ["", "-wal", "-shm"]) {
      if (what === "removed") rmSync(path + end);
      else renameSync(path + end, `${path}.old${end}`);
    }
    if (what !== "removed") await open(path).store.close();
    clock.advanceMs(1_000);
    store.find(IRIS, unitHash(2));
    expect(troubles).toMatchObject([{ kind: "failed" }]);
    store.add(IRIS, unitHash(3), CONTROL);
    clock.advanceMs(500);
    expect(readRows(path)).toEqual([[unitHash(3), "control"]]);
    expect(store.find(IRIS, unitHash(1))).toBeUndefined();
    expect(troubles[1]).toEqual({ kind: "recovered" });
    await store.close();
  },
);

it("finds after kill -9 what was written before", async () => {
  const path = newPath();
  const child = spawn(process.execPath, ["--conditions=@millrace/source", PROCESS, "hang", path]);
  await new Promise((resolve) => child.stdout.once("data", resolve));
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
  const { store, troubles } = open(path);
  for (let i = 0; i < 1_000; i++) expect(store.find(IRIS, unitHash(i))?.arm).toBe("hang");
  store.add(IRIS, unitHash(1_000), CONTROL);
  await store.flush();
  expect(troubles).toEqual([]);
  expect(readRows(path)).toHaveLength(1_001);
  await store.close();
}, 30_000);

it("three processes that add the same units at once agree on each, and no unit is lost", async () => {
  const path = newPath();
  const run = promisify(execFile);
  const outputs = await Promise.all(
    ["a", "b", "c"].map(async (name) => {
      const args = ["--conditions=@millrace/source", PROCESS, name, path];
      const { stdout } = await run(process.execPath, args, { maxBuffer: 16 * 1024 * 1024 });
      return stdout;
    }),
  );
  const rows = readRows(path).map(([unit, arm]) => `${unit} ${arm}\n`);
  expect(rows).toHaveLength(1_000);
  expect(outputs).toEqual([rows.join(""), rows.join(""), rows.join("")]);
}, 60_000);

it("serves on when the disk takes no more, and tells", async () => {
  const path = newPath();
  mkdirSync(join(path, ".."));
  // 64 KiB for each file: writes beyond fail, as on a disk that is full.
  const script = `ulimit -f 64; exec "${process.execPath}" --conditions=@millrace/source "${PROCESS}" full "${path}"`;
  const { stdout } = await promisify(execFile)("bash", ["-c", script]);
  expect(stdout).toBe("failed\nfound 20000 of 20000\n");
}, 60_000);

/** Carries everything into the file itself, and empties what lies beside it. */
function checkpoint(path: string): void {
  const db = new DatabaseSync(path);
  db.exec("pragma wal_checkpoint(truncate)");
  db.close();
}

/** Overwrites all of it in place. */
function damage(path: string): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(fstatSync(file).size, 0x5a), 0);
  closeSync(file);
}

function readRows(path: string): [unit: string, arm: string][] {
  const db = new DatabaseSync(path);
  const rows = db.prepare("select lower(hex(unit)) as unit, arm from units order by unit").all();
  db.close();
  return rows.map(({ unit, arm }) => [String(unit), String(arm)]);
}

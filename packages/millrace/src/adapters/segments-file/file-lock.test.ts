import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { acquireFileLock, isFileLocked } from "./file-lock.ts";

const MODULE = JSON.stringify(new URL("file-lock.ts", import.meta.url).href);
const NODE_ARGS = ["--conditions=@millrace/source", "--input-type=module", "-e"];

/** Of what a busy machine takes its time for. */
const PATIENCE = { timeout: 10_000 };

describe("file lock", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "millrace-lock-"));
    path = join(folder, "lock");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("acquireFileLock() gives the lock to one at a time", () => {
    const lock = acquireFileLock(path);
    expect(lock).toBeDefined();
    expect(acquireFileLock(path)).toBeUndefined();
    lock?.release();
    const next = acquireFileLock(path);
    expect(next).toBeDefined();
    next?.release();
  });

  it("acquireFileLock() leaves an empty file for this user alone, and nothing beside it", () => {
    const lock = acquireFileLock(path);
    expect(readdirSync(folder)).toEqual(["lock"]);
    expect(statSync(path)).toMatchObject({ size: 0 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    lock?.release();
    expect(readdirSync(folder)).toEqual(["lock"]);
  });

  it("isFileLocked() tells, and takes nothing away from the process that asks and has the lock", () => {
    expect(isFileLocked(path)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
    const lock = acquireFileLock(path);
    for (let i = 0; i < 3; i++) expect(isFileLocked(path)).toBe(true);
    expect(acquireFileLock(path)).toBeUndefined();
    expect(isLockedForAnotherProcess()).toBe(true);
    lock?.release();
    expect(isFileLocked(path)).toBe(false);
    expect(isLockedForAnotherProcess()).toBe(false);
  });

  it("isFileLocked() tells that a damaged file is not locked", () => {
    writeFileSync(path, "not a database ".repeat(1_000));
    expect(isFileLocked(path)).toBe(false);
  });

  it("acquireFileLock() succeeds as soon as the process that had the lock was killed", async () => {
    const holder = await startHolder();
    expect(isFileLocked(path)).toBe(true);
    expect(acquireFileLock(path)).toBeUndefined();
    holder.kill("SIGKILL");
    await once(holder, "exit");
    expect(isFileLocked(path)).toBe(false);
    expect(readdirSync(folder)).toEqual(["lock"]);
    const lock = acquireFileLock(path);
    expect(lock).toBeDefined();
    lock?.release();
  });

  it("acquireFileLock() succeeds once the thread that had the lock broke", async () => {
    const program = `
      import { parentPort } from "node:worker_threads";
      const { acquireFileLock } = await import(${MODULE});
      globalThis.lock = acquireFileLock(${JSON.stringify(path)});
      parentPort.on("message", () => { throw new Error("broken"); });
      parentPort.postMessage("held");
    `;
    const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`));
    await once(thread, "message");
    expect(isFileLocked(path)).toBe(true);
    expect(isLockedForAnotherProcess()).toBe(true);
    const ended = new Promise((resolve) => thread.on("error", resolve).on("exit", resolve));
    thread.postMessage("break");
    await ended;
    await expect.poll(() => isFileLocked(path), PATIENCE).toBe(false);
    const lock = acquireFileLock(path);
    expect(lock).toBeDefined();
    lock?.release();
  });

  function isLockedForAnotherProcess(): boolean {
    const program = `
      const { isFileLocked } = await import(${MODULE});
      console.log(isFileLocked(${JSON.stringify(path)}));
    `;
    const { stdout } = spawnSync(process.execPath, [...NODE_ARGS, program], { encoding: "utf8" });
    expect(stdout).toMatch(/^(true|false)\n$/);
    return stdout === "true\n";
  }

  async function startHolder(): Promise<ChildProcess> {
    const program = `
      const { acquireFileLock } = await import(${MODULE});
      globalThis.lock = acquireFileLock(${JSON.stringify(path)});
      console.log("held");
      setInterval(() => undefined, 1000);
    `;
    const holder = spawn(process.execPath, [...NODE_ARGS, program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    return holder;
  }
});

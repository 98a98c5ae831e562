import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../packages/millrace/src/adapters/clock-system/clock-system.ts";
import type { Clock } from "../../packages/millrace/src/core/clock.ts";
import { TestClock } from "../../packages/millrace/src/core/test-clock.ts";
import type { QueryOrder } from "../../packages/millrace/src/ports/query-engine.ts";
import { QueryProcess } from "../../packages/millrace/src/query/query-process.ts";
import { eventually } from "../e2e/millrace-process.ts";
import { blockOf, LogWorld } from "./log-world.ts";

const ENTRY = join(import.meta.dirname, "../../packages/millrace/src/query-process-entry.ts");
/** Runs for minutes. */
const ENDLESS = "select sum(a.range * b.range) from range(1000000000) a, range(1000000000) b";
const MiB = 2 ** 20;

function orderOf(sql: string, order: Partial<QueryOrder> = {}): QueryOrder {
  return { sql, format: "json", parameters: [], rowsMax: 1_000, timeoutMs: undefined, ...order };
}

/** The query processes of this test's process. */
function pids(): number[] {
  try {
    const words = ["-ww", "-o", "pid=,args=", "--ppid", String(process.pid)];
    const lines = execFileSync("ps", words, { encoding: "utf8" }).trimEnd().split("\n");
    return lines
      .filter((line) => line.includes("query-process-entry"))
      .map((line) => Number.parseInt(line, 10));
  } catch {
    return []; // ps exits with 1 when there is none
  }
}

async function theirPid(): Promise<number> {
  return eventually(() => pids()[0], "a query process");
}

describe("QueryProcess", () => {
  const opened: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((engine) => engine.close()));
    if (pids().length > 0) throw new Error("A query process is left");
  });

  function open(world: LogWorld, clock: Clock = systemClock, timeoutMs = 20_000): QueryProcess {
    mkdirSync(world.folder, { recursive: true });
    const engine = new QueryProcess({
      entry: ENTRY,
      settings: { folder: world.folder, memoryBytesMax: 256 * MiB, timeoutMs },
      clock,
      onLine: () => undefined,
    });
    opened.push(engine);
    return engine;
  }

  it("query() answers from a process that stays for the next query and goes when nobody asks", async () => {
    await using world = new LogWorld();
    await world.writer().append(blockOf({ predictionId: "a" }));
    const clock = new TestClock();
    const engine = open(world, clock);
    const sql = "select prediction_id from predictions";
    expect(await engine.query(orderOf(sql))).toMatchObject({ kind: "rows", rows: [["a"]] });
    const [pid] = pids();
    clock.advanceMs(59_000);
    expect(await engine.query(orderOf(sql))).toMatchObject({ rows: [["a"]] });
    expect(pids()).toEqual([pid]);
    clock.advanceMs(60_000);
    await eventually(() => pids().length === 0, "its end");
    expect(readdirSync(join(world.folder, "tmp"))).toEqual([]);
    expect(await engine.query(orderOf(sql))).toMatchObject({ rows: [["a"]] });
  });

  it("query() gives bytes and errors of the table as they are", async () => {
    await using world = new LogWorld();
    const engine = open(world);
    const csv = await engine.query(orderOf("select 1 as a", { format: "csv" }));
    expect(csv.kind === "bytes" && Buffer.from(csv.bytes).toString()).toBe("a\n1\n");
    await expect(engine.query(orderOf("selec"))).rejects.toMatchObject({ code: "INVALID_QUERY" });
    await expect(engine.query(orderOf("selec"))).rejects.toMatchObject({ code: "INVALID_QUERY" });
  });

  it("query() ends what takes too long, and the process goes on", async () => {
    await using world = new LogWorld();
    const engine = open(world);
    await engine.query(orderOf("select 1"));
    const [pid] = pids();
    await expect(engine.query(orderOf(ENDLESS, { timeoutMs: 100 }))).rejects.toMatchObject({
      code: "QUERY_TOO_LARGE",
    });
    expect(await engine.query(orderOf("select 2"))).toMatchObject({ rows: [[2]] });
    expect(pids()).toEqual([pid]);
  });

  it("query() kills a process that does not end in time, and the next one gets another", async () => {
    await using world = new LogWorld();
    const clock = new TestClock();
    const engine = open(world, clock);
    await engine.query(orderOf("select 1"));
    const pid = await theirPid();
    process.kill(pid, "SIGSTOP");
    const stuck = engine.query(orderOf("select 2", { timeoutMs: 1_000 }));
    const failure = stuck.catch((error: unknown) => error);
    await eventually(() => {
      clock.advanceMs(1_000);
      return pids().length === 0;
    }, "its end");
    expect(await failure).toMatchObject({
      code: "QUERY_TOO_LARGE",
      message: expect.stringContaining("could not be interrupted") as string,
    });
    expect(await engine.query(orderOf("select 3"))).toMatchObject({ rows: [[3]] });
    expect(pids()).not.toEqual([pid]);
  });

  it("query() of a process that is killed is refused by name, and the next one gets another", async () => {
    await using world = new LogWorld();
    const engine = open(world);
    const running = engine.query(orderOf(ENDLESS));
    const failure = running.catch((error: unknown) => error);
    process.kill(await theirPid(), "SIGKILL");
    expect(await failure).toMatchObject({
      code: "QUERY_TOO_LARGE",
      message: expect.stringContaining("SIGKILL") as string,
    });
    expect(await engine.query(orderOf("select 1"))).toMatchObject({ rows: [[1]] });
  });

  it("query() ends with the reason of its signal, and the process goes on", async () => {
    await using world = new LogWorld();
    const engine = open(world);
    await engine.query(orderOf("select 1"));
    const pid = await theirPid();
    const controller = new AbortController();
    const running = engine.query(orderOf(ENDLESS), controller.signal);
    const reason = new Error("enough");
    const failure = running.catch((error: unknown) => error);
    setImmediate(() => controller.abort(reason));
    expect(await failure).toBe(reason);
    expect(await engine.query(orderOf("select 2"))).toMatchObject({ rows: [[2]] });
    expect(pids()).toEqual([pid]);
  });

  it("query() refuses with LOG_UNAVAILABLE when there is no log, and makes no folder for it", async () => {
    await using world = new LogWorld();
    const missing = { folder: join(world.folder, "missing") } as LogWorld;
    const engine = new QueryProcess({
      entry: ENTRY,
      settings: { folder: missing.folder, memoryBytesMax: 256 * MiB, timeoutMs: 20_000 },
      clock: systemClock,
      onLine: () => undefined,
    });
    opened.push(engine);
    await expect(engine.query(orderOf("select 1"))).rejects.toMatchObject({
      code: "LOG_UNAVAILABLE",
    });
    expect(existsSync(missing.folder)).toBe(false);
  });

  it("close() ends the process and what it runs", async () => {
    await using world = new LogWorld();
    const engine = open(world);
    const running = engine.query(orderOf(ENDLESS));
    const failure = running.catch((error: unknown) => error);
    await theirPid();
    await engine.close();
    expect(await failure).toMatchObject({ code: "LOG_UNAVAILABLE" });
    expect(pids()).toEqual([]);
  });
});

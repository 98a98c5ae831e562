import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { getPriority } from "node:os";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { ask } from "./http-client.ts";
import { eventually, isRunning, MillraceProcess, ROOT } from "./millrace-process.ts";
import { Metrics } from "./prometheus.ts";
import { IRIS, SETOSA, Workspace } from "./workspace.ts";

const FILE = "log: { roll: 1s }\nmodels: { iris: ./iris.onnx }\n";

function folderWith(text: string): Workspace {
  return new Workspace({ "millrace.yaml": text, "iris.onnx": IRIS });
}

async function predict(server: MillraceProcess, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const { status } = await ask(server.url, "/predict", { body: { data: SETOSA } });
    expect(status).toBe(200);
  }
}

async function metricsOf(server: MillraceProcess): Promise<Metrics> {
  const { origin, pathname } = new URL(server.facts.metrics ?? "");
  return new Metrics((await ask(origin, pathname)).text);
}

function shippedRows(server: MillraceProcess, count: number): Promise<boolean> {
  return eventually(async () => {
    const metrics = await metricsOf(server);
    return metrics.sum("predlog_shipped_rows_total", { sink: "parquet" }) === count;
  }, `${count} rows`);
}

function logPidOf(server: MillraceProcess): Promise<number> {
  return eventually(() => server.logPids[0], "the log process");
}

function parquetFiles(folder: Workspace): readonly string[] {
  const names = readdirSync(folder.file(".millrace/log/predictions"), { recursive: true });
  return names.map(String).filter((name) => name.endsWith(".parquet"));
}

describe("the log process", () => {
  it("ships what millrace up predicts, after everything else and with the least right to a core", async () => {
    using folder = folderWith(`server: { processes: 2 }\n${FILE}`);
    await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
    await predict(server, 12);
    await shippedRows(server, 12);
    expect(parquetFiles(folder).length).toBeGreaterThan(0);
    const { json } = await ask(server.facts.control ?? "", "/api/v1/status");
    expect(json).toMatchObject({
      processes: [{ process: 0 }, { process: 1 }, { process: "control" }, { process: "log" }],
    });
    expect(getPriority(await logPidOf(server))).toBeGreaterThanOrEqual(10);
    expect(await server.stop()).toBe(0);
  });

  it("starts again when it is killed, and nothing is lost or there twice", async () => {
    using folder = folderWith(`server: { processes: 1 }\n${FILE}`);
    await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
    await predict(server, 5);
    await shippedRows(server, 5);
    const pid = await logPidOf(server);
    process.kill(pid, "SIGKILL");
    await predict(server, 7);
    await server.logLine(({ message }) => message === "Log process runs again");
    await shippedRows(server, 7); // of the new one
    const metrics = await metricsOf(server);
    expect(metrics.sum("log_restarts_total")).toBe(1);
    expect(metrics.sum("predlog_unclean_writers_total")).toBe(0);
    expect(metrics.sum("inference_requests_total")).toBe(12);
  });

  it("is kept by millrace serve too, and ends with it", async () => {
    using folder = folderWith(FILE);
    await using server = await MillraceProcess.start(["serve"], { cwd: folder.path });
    await predict(server, 3);
    await shippedRows(server, 3);
    const pid = await logPidOf(server);
    expect(isRunning(pid)).toBe(true);
    expect(await server.stop()).toBe(0);
    expect(isRunning(pid)).toBe(false);
  });

  it("ends when whoever keeps it is killed", async () => {
    using folder = folderWith(FILE);
    await using server = await MillraceProcess.start(["serve"], { cwd: folder.path });
    const pid = await logPidOf(server);
    process.kill(server.mainPid, "SIGKILL");
    expect(await eventually(() => !isRunning(pid), "its end")).toBe(true);
  });

  it("is not there where nothing is logged", async () => {
    using folder = folderWith(`log: { sink: off }\nmodels: { iris: ./iris.onnx }\n`);
    await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
    await predict(server, 1);
    const { json } = await ask(server.facts.control ?? "", "/api/v1/status");
    expect((json as { processes: unknown[] }).processes.at(-1)).toMatchObject({
      process: "control",
    });
    expect(server.logPids).toEqual([]);
    expect(existsSync(folder.file(".millrace/log"))).toBe(false);
  });

  it("goes on with a changed file", async () => {
    using folder = folderWith(FILE);
    await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
    await predict(server, 1);
    await shippedRows(server, 1);
    const pid = await logPidOf(server);
    folder.put("millrace.yaml", `${FILE.replace("1s }", "1s, text: { path: rows.log } }")}`);
    server.signal("SIGHUP");
    await server.logLine(({ message }) => message === "The file was applied");
    await predict(server, 2);
    await eventually(() => readdirSync(folder.path).includes("rows.log"), "the second sink");
    expect(server.logPids).toEqual([pid]);
  });

  it("ships what a library with a state folder predicts", async () => {
    using folder = folderWith(FILE);
    folder.put(
      "program.ts",
      `import { readdirSync } from "node:fs";
       import { setTimeout as delay } from "node:timers/promises";
       import { createMillrace } from ${JSON.stringify(`${ROOT}/packages/millrace/src/index.ts`)};
       const models = { iris: "./iris.onnx" };
       const millrace = await createMillrace({ state: { dir: "./state" }, log: { roll: "1s" }, models });
       await millrace.predict("iris", ${JSON.stringify(SETOSA)});
       const files = () => readdirSync("state", { recursive: true }).map(String);
       while (!files().some((name) => name.endsWith(".parquet"))) await delay(20);
       await millrace.close();
       console.log("shipped");`,
    );
    const words = ["--conditions=@millrace/source", "program.ts"];
    const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: folder.path });
    expect(stdout).toBe("shipped\n");
  });
});

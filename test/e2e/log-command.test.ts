import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ask } from "./http-client.ts";
import { eventually, MillraceProcess, runMillrace, type Run } from "./millrace-process.ts";
import { IRIS, SETOSA, Workspace } from "./workspace.ts";

const FILE = `
server: { processes: 1 }
models: { iris: { source: ./iris.onnx } }
services: { iris: { log: { unit: header.x-customer } } }
log: { roll: 1s, text: { path: ./logs/predictions.log, sizeMax: 4KiB, keep: 100 } }
`;

function folderWith(): Workspace {
  return new Workspace({ "millrace.yaml": FILE, "iris.onnx": IRIS });
}

/** @returns the prediction's id. */
async function predict(server: MillraceProcess, customer: string): Promise<string> {
  const headers = { "x-customer": customer };
  const answer = await ask(server.url, "/predict", { body: { data: SETOSA }, headers });
  expect(answer.status).toBe(200);
  return String(answer.headers["x-prediction-id"]);
}

function log(folder: Workspace, ...words: string[]): Promise<Run> {
  return runMillrace(["log", ...words], { cwd: folder.path });
}

interface Status {
  readonly shipping: boolean;
  readonly sinks: readonly { readonly name: string; readonly rows: number }[];
  readonly tables: readonly { readonly name: string; readonly files: number }[];
}

async function statusOf(folder: Workspace): Promise<Status> {
  const { code, stdout, stderr } = await log(folder, "status", "--json");
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Status;
}

/** All lines, of all files in the order they were written; the last one is empty when the others are whole. */
function textLines(folder: Workspace): string[] {
  const paths = Array.from({ length: 101 }, (_, index) =>
    folder.file(`logs/predictions.log${index === 0 ? "" : `.${index}`}`),
  );
  const texts = paths.map((path) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return ""; // there is none of that number, or it is renamed at this moment
    }
  });
  return texts.toReversed().join("").split("\n");
}

describe("millrace log", () => {
  it("shows how far the log is and forgets a unit, while Millrace runs and when it does not", async () => {
    using folder = folderWith();
    {
      await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
      for (const customer of ["ann", "ann", "bob", "eve"]) await predict(server, customer);
      const shipped = await eventually(async () => {
        const status = await statusOf(folder);
        return status.sinks.every(({ rows }) => rows === 4) && status;
      }, "4 rows in every sink");
      expect(shipped).toMatchObject({
        shipping: true,
        sinks: [{ name: "parquet" }, { name: "text" }],
        dropped: { ring: 0, disk: 0, failed: 0 },
      });
      expect((await log(folder, "status")).stdout).toContain(
        "\nto text      4 rows since its start",
      );
      const forgotten = await log(folder, "forget", "--unit", "ann", "--reason", "asked by letter");
      expect([forgotten.code, forgotten.stdout]).toEqual([
        0,
        expect.stringMatching(/^forgot [0-9a-f]{32}: 2 rows in \d files?\n/),
      ]);
      const line = await server.logLine(({ reason }) => reason === "asked by letter");
      expect(line).toMatchObject({ logger: "log", rows: 2 });
      expect(server.printed).not.toContain('"ann"');
      await server.stop();
    }
    const atRest = await log(folder, "forget", "--unit", "bob", "--json");
    expect(JSON.parse(atRest.stdout)).toMatchObject({ rows: 1, files: 1, segments: 0 });
    expect((await log(folder, "forget", "--unit", "bob")).stdout).toContain(": 0 rows in 0 files");
    expect((await log(folder, "status")).stdout).toContain("\nstate        nothing runs\n");
    const query = ["query", "--format", "csv", "select count(*) as n from predictions"];
    const left = await runMillrace(query, { cwd: folder.path });
    expect(left.stdout.trim()).toBe("n\n1");
  }, 60_000);

  it("exits with 2 when it is used wrongly, with 1 where there is no log", async () => {
    using folder = folderWith();
    for (const words of [
      ["forget"],
      ["forget", "ann"],
      ["forget", "--unit", ""],
      ["forget", "--unit-hash", "xyz"],
      ["forget", "--unit", "a", "--unit-hash", "0".repeat(32)],
      ["status", "now"],
      ["rotate"],
    ]) {
      const { code, stderr } = await log(folder, ...words);
      expect([words, code]).toEqual([words, 2]);
      expect(stderr).not.toBe("");
    }
    folder.put("millrace.yaml", `${FILE.replace("roll: 1s", "sink: off")}`);
    const none = await log(folder, "status");
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining("no prediction log")]);
  }, 60_000);
});

describe("log.text", () => {
  it("has every prediction in one line, once, when the log process is killed again and again", async () => {
    using folder = folderWith();
    await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
    const ids: string[] = [];
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i < 20; i++) ids.push(await predict(server, "ann"));
      const [pid] = await eventually(() => server.logPids.length > 0 && server.logPids, "it");
      if (pid !== undefined && round < 5) process.kill(pid, "SIGKILL");
    }
    await eventually(() => textLines(folder).length > ids.length, "every line", 40_000);
    const written = textLines(folder).map((line) => /\[([0-9a-f]{8}-[^\]]+)\]/.exec(line)?.[1]);
    expect(written).toEqual([...ids, undefined]);
    expect(server.logLines.some(({ message }) => message.includes("Log process ended"))).toBe(true);
  }, 90_000);
});

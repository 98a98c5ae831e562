import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReplayReport } from "../../packages/millrace/src/replay/replay-report.ts";
import {
  copyExample,
  eventually,
  MillraceProcess,
  ROOT,
  runMillrace,
  type Run,
} from "./millrace-process.ts";

const FLOWERS = Array.from({ length: 60 }, (_, i) => [
  4.5 + (i % 10) * 0.35,
  2.2 + (i % 7) * 0.3,
  1.2 + (i % 15) * 0.38,
  0.2 + (i % 5) * 0.5,
]);

const REQUESTS = 40;

describe("millrace replay", () => {
  let example: Awaited<ReturnType<typeof copyExample>>;
  let server: MillraceProcess | undefined;

  beforeAll(async () => {
    example = await copyExample("replay");
    server = await MillraceProcess.start(["up"], { cwd: example.path });
    const { url } = server;
    for (const row of FLOWERS.slice(0, REQUESTS - 1)) await predict(url, [row]);
    await predict(url, FLOWERS.slice(REQUESTS - 1));
    await eventually(async () => (await countRows()) === FLOWERS.length, "the rows of the log");
  });
  afterAll(async () => {
    await server?.stop();
    await example.remove();
  });

  async function predict(url: string, rows: readonly (readonly number[])[]): Promise<void> {
    const body = JSON.stringify({ data: rows });
    const reply = await fetch(`${url}/services/iris/predict`, { method: "POST", body });
    expect(reply.status).toBe(200);
    await reply.arrayBuffer();
  }

  const run = (...words: string[]): Promise<Run> => runMillrace(words, { cwd: example.path });

  async function countRows(): Promise<number> {
    const { stdout } = await run(
      "query",
      "select count(*) as n from predictions",
      "--format",
      "csv",
    );
    return Number(stdout.trim().split("\n").at(-1));
  }

  async function replay(...words: string[]): Promise<{ report: ReplayReport; run: Run }> {
    const result = await run("replay", "--service", "iris", "--json", ...words);
    if (result.stdout === "") throw new Error(`it printed nothing:\n${result.stderr}`);
    return { report: JSON.parse(result.stdout) as ReplayReport, run: result };
  }

  it("agrees with itself, writes the page, and leaves no row in the log", async () => {
    const page = join(example.path, "report.html");
    const { report, run: result } = await replay(
      "--candidate",
      "iris@1",
      "--compare",
      "equal",
      "--output",
      page,
    );
    expect([result.code, result.stderr]).toEqual([0, ""]);
    expect(report.requests).toEqual({ found: REQUESTS, replayed: REQUESTS, skipped: [] });
    expect(report.agreement).toMatchObject({ compared: 60, agreed: 60, share: 1 });
    expect(await readFile(page, "utf8")).toContain("60 of 60 rows");
    expect(await countRows()).toBe(60);
  });

  it("tells by its exit code whether the agreement is known to be large enough", async () => {
    // 60 of 60 are above 93.98 %, whatever the true share is.
    const enough = await replay(
      "--candidate",
      "iris",
      "--compare",
      "equal",
      "--min-agreement",
      "93%",
    );
    expect(enough.run.code).toBe(0);
    const unknown = await replay(
      "--candidate",
      "iris",
      "--compare",
      "equal",
      "--min-agreement",
      "95%",
    );
    expect(unknown.run.code).toBe(1);
    expect(unknown.run.stderr).toBe(
      "Agreement is not known to be above 95 %: it is above 93.98 %\n",
    );
    const forest = await replay("--candidate", "iris-rf", "--min-agreement", "99%");
    expect(forest.run.code).toBe(1);
    expect(forest.report.disagreements.length).toBeGreaterThan(0);
  });

  it("takes a model file and a comparison of the user", async () => {
    await writeFile(
      join(example.path, "first.ts"),
      "export default (logged, candidate) => (logged.label === 'setosa') === (candidate.label === 'setosa');\n",
    );
    const file = "../models/iris_rf.onnx";
    const { report } = await replay("--candidate", file, "--compare", "./first.ts");
    expect(report.candidate.model).toBe("iris_rf@1");
    expect(report.compare).toBe("./first.ts");
    const byLabel = await replay("--candidate", "iris-rf");
    expect(report.agreement.agreed).toBeGreaterThanOrEqual(byLabel.report.agreement.agreed);
  });

  it.each([
    [["--service", "iris"], "--candidate is missing"],
    [
      ["--service", "irys", "--candidate", "iris-rf"],
      '--service: the file has no model or service "irys", it has iris, iris-rf; did you mean "iris"?',
    ],
    [["--service", "iris", "--candidate", "iris-fr"], 'did you mean "iris-rf"?'],
    [
      ["--service", "iris", "--candidate", "iris-rf", "--compare", "top-k"],
      "--k 5: expected less than there are classes, the candidate has 3 classes",
    ],
    [
      ["--service", "iris", "--candidate", "iris-rf", "--speed", "0"],
      "--speed: expected max or a number above 0",
    ],
  ])("refuses %j with 2", async (words, message) => {
    const { code, stdout, stderr } = await run("replay", ...words);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
  });

  it("says why a candidate cannot be had, and ends with 1", async () => {
    const missing = await run("replay", "--service", "iris", "--candidate", "./none.onnx");
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/^Cannot replay: the candidate does not load: .*none\.onnx/);
    const words = ["--service", "iris", "--candidate", "iris", "--output", "no/such/folder.html"];
    const unwritten = await run("replay", ...words);
    expect([unwritten.code, unwritten.stdout]).toEqual([1, expect.stringContaining("60 of 60")]);
    expect(unwritten.stderr).toMatch(/^Cannot write the report: ENOENT/);
    const version = await run("replay", "--service", "iris", "--candidate", "iris@7");
    expect([version.code, version.stdout]).toEqual([1, ""]);
    expect(version.stderr).toContain("7");
  });

  /** Runs it in a terminal and presses Ctrl-C when it shows how far it is. */
  async function interrupted(): Promise<{ code: number | null; shown: string }> {
    const bin = join(ROOT, "packages/millrace/bin/millrace");
    const command = `${bin} replay --service iris --candidate iris --speed 0.001 --json`;
    const child = spawn("script", ["-qec", command, "/dev/null"], { cwd: example.path });
    const ended = once(child, "close") as Promise<[number | null]>;
    let shown = "";
    child.stdout.on("data", (chunk: Buffer) => {
      const before = shown;
      shown += chunk.toString();
      if (shown.includes("of 40") && !before.includes("of 40")) child.stdin.write("\u0003");
    });
    const [code] = await ended;
    return { code, shown };
  }

  it("reports what was done when it is interrupted, with and without a running Millrace", async () => {
    for (const isRunning of [true, false]) {
      if (!isRunning) await server?.stop();
      const { code, shown } = await interrupted();
      expect(shown).toMatch(/[█░]{30} \d+ % {2}\d+ of 40/);
      const [json] = /^.*(\{"service".*\})\r?$/m.exec(shown)?.slice(1) ?? [];
      const report = JSON.parse(json ?? "") as ReplayReport;
      expect([code, report.end]).toEqual([130, "interrupted"]);
      expect(report.requests.found).toBe(REQUESTS);
      expect(report.requests.replayed).toBeGreaterThan(0);
      expect(report.requests.replayed).toBeLessThan(REQUESTS);
      expect(report.agreement.compared).toBe(report.requests.replayed);
    }
    server = undefined;
  });
});

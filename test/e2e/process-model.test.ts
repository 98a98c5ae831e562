import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { testPython } from "../../tools/test-venv.ts";
import { ask } from "./http-client.ts";
import { eventually, isRunning, MillraceProcess, ROOT, runMillrace } from "./millrace-process.ts";
import { Workspace } from "./workspace.ts";

const HOSTILE = { copyOf: join(ROOT, "test/fixtures/programs/hostile_program.py") };

function folderWith(mode: string, more = ""): Workspace {
  const file = `
server: { processes: 2, drain: 10s }
models:
  echo: { runtime: process, command: [${testPython()}, program.py, ${mode}], sample: [[1, 2]], ${more} }
`;
  return new Workspace({ "millrace.yaml": file, "program.py": HOSTILE });
}

/** Every program of a server, each in another serve process. */
function programsOf(folder: Workspace): number[] {
  const lines = execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" }).split("\n");
  const cwdIs = (pid: number): boolean => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === folder.path;
    } catch {
      return false;
    }
  };
  return lines
    .filter((line) => line.includes("program.py"))
    .map((line) => Number.parseInt(line, 10))
    .filter(cwdIs);
}

describe("runtime: process under millrace up", () => {
  it("serves with a program for each serve process, and ends them when it drains", async () => {
    using folder = folderWith("fork");
    await using millrace = await MillraceProcess.start(["up", folder.path]);
    expect(programsOf(folder)).toHaveLength(2);
    const reply = await ask(millrace.url, "/predict", { body: { data: [[3, 4]] } });
    expect([reply.status, reply.json]).toEqual([200, { prediction: [3, 4] }]);
    const metadata = await ask(millrace.url, "/v2/models/echo");
    expect(metadata.json).toMatchObject({
      platform: "process_oip",
      inputs: [{ name: "x", datatype: "FP32", shape: [-1, 2] }],
    });
    const line = await millrace.logLine(({ message }) => message.startsWith("child "));
    expect(line).toMatchObject({
      logger: "program",
      level: "info",
      model: "echo",
      stream: "stdout",
    });
    const started = millrace.logLines.filter(({ message }) => message.startsWith("child "));
    expect(await millrace.stop()).toBe(0);
    expect(programsOf(folder)).toEqual([]);
    for (const { message } of started) expect(isRunning(Number(message.split(" ")[1]))).toBe(false);
  });

  it("leaves no program behind when everything is killed, also of those that ignore signals", async () => {
    using folder = folderWith("ignore");
    await using millrace = await MillraceProcess.start(["up", folder.path]);
    const pids = programsOf(folder);
    const sockets = pids.map(socketFolderOf);
    expect(sockets.map(existsSync)).toEqual([true, true]);
    millrace.signalAll("SIGKILL");
    await eventually(() => !pids.some(isRunning), "the end of the programs");
    await eventually(() => !sockets.some(existsSync), "the end of their sockets");
  });

  it("answers 503 while the program of a process is started again, and serves again", async () => {
    using folder = folderWith("die");
    await using millrace = await MillraceProcess.start(["up", folder.path]);
    const died = await ask(millrace.url, "/predict", { body: { data: [[-1, 0]] } });
    expect(died.json).toMatchObject({ code: "EXECUTOR_LOST", status: 503 });
    const line = await millrace.logLine(({ message }) => message.includes("exited with code 7"));
    expect(line).toMatchObject({ logger: "models", model: "echo" });
    await millrace.logLine(({ message }) => message.includes("runs again"));
    const alive = await eventually(async () => {
      const reply = await ask(millrace.url, "/predict", { body: { data: [[1, 0]] } });
      return reply.status === 200 ? reply : undefined;
    }, "an answer");
    expect(alive.json).toEqual({ prediction: [1, 0] });
  });

  it("says in status and log why a program does not start", async () => {
    using folder = folderWith("exit", "required: false");
    await using millrace = await MillraceProcess.start(["up", folder.path]);
    const why = "its program exited with code 3: RuntimeError: no such model";
    expect(millrace.facts.models[0]?.problem).toContain(why);
    const line = await millrace.logLine(({ message }) => message.includes(why));
    expect(line).toMatchObject({ level: "error", model: "echo" });
    const printed = await millrace.logLine(({ message }) => message === "loading the model");
    expect(printed).toMatchObject({ logger: "program", stream: "stderr" });
    expect((await runMillrace(["check", folder.path])).stdout).toContain(why);
  });
});

function socketFolderOf(pid: number): string {
  const variables = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  const [, path = ""] =
    variables.find((text) => text.startsWith("MILLRACE_SOCKET="))?.split("=") ?? [];
  return dirname(path);
}
